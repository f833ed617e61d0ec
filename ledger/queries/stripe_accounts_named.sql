-- Accounts that these ids of Stripe lead to, in the order in which accounts are locked.
SELECT DISTINCT account_id
FROM (
    SELECT account_id FROM stripe_customers WHERE customer = ANY ($1)
    UNION ALL
    SELECT account_id FROM stripe_checkouts WHERE session = ANY ($1)
    UNION ALL
    SELECT account_id FROM stripe_checkouts WHERE subscription = ANY ($1)
    UNION ALL
    SELECT account_id FROM stripe_subscriptions WHERE subscription = ANY ($1)
    UNION ALL
    SELECT account_id FROM stripe_payments WHERE payment = ANY ($1)
) AS named
ORDER BY account_id
