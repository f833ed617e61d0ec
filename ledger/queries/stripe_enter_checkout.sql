-- A checkout once.
INSERT INTO stripe_checkouts (session, account_id, customer, plan, price, recurring, amount, currency, url, opened_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT ON CONSTRAINT stripe_checkouts_pkey DO NOTHING
