-- A mail once: to whom the latest checkout names, else to whom Stripe knows, else to the account's own address.
INSERT INTO mails (account_id, address, kind, detail, dedupe_key, queued_at)
SELECT account_id,
       coalesce(
           (SELECT checkout.email
            FROM stripe_checkouts AS checkout
            WHERE checkout.account_id = account.account_id AND checkout.email IS NOT NULL
            ORDER BY ended_at DESC NULLS LAST, session
            LIMIT 1),
           (SELECT customer.email
            FROM stripe_customers AS customer
            WHERE customer.account_id = account.account_id AND customer.email IS NOT NULL AND deleted_at IS NULL
            ORDER BY linked_at, customer
            LIMIT 1),
           account.email),
       $2, $3, $4, $5
FROM accounts AS account
WHERE account_id = $1
ON CONFLICT ON CONSTRAINT mails_once DO NOTHING
