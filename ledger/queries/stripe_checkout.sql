-- Checkouts of one session ($1) or of one account ($2), latest first.
SELECT session, account_id, customer, plan, price, recurring, amount, currency, url, opened_at, expires_at, state, email,
       subscription, payment_intent, ended_at
FROM stripe_checkouts
WHERE session = $1 OR account_id = $2
ORDER BY opened_at DESC, session
LIMIT $3
