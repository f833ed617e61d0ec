-- A payment; whoever inserts it has locked its names, so there is none yet.
INSERT INTO stripe_payments (
    payment, payment_intent, charge, session, subscription, customer, account_id, plan, product, credits, prorated, amount,
    currency, period_end, paid_at, expires_at, lot_id, recorded_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
