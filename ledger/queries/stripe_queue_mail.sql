-- A mail once: to whom the latest checkout names, else to whom Stripe knows, else to the account's own address.
INSERT INTO mails (account_id, address, kind, detail, dedupe_key, queued_at)
SELECT account_id,
       coalesce(payer_email(account.account_id), account.email),
       $2, $3, $4, $5
FROM accounts AS account
WHERE account_id = $1
ON CONFLICT ON CONSTRAINT mails_once DO NOTHING
