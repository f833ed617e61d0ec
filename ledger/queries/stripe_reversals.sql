-- Reversals of a payment, or with none ($1 null) those that wait for theirs, oldest first.
SELECT reversal.kind, id, invoice, reversal.payment_intent, reversal.charge, reversal.payment, account_id, refunded,
       reversal.amount, coalesce(at, won_at) AS at, won_at
FROM stripe_reversals AS reversal
LEFT JOIN stripe_payments AS payment ON payment.payment = reversal.payment
WHERE reversal.payment = $1 OR ($1 IS NULL AND reversal.payment IS NULL AND at IS NOT NULL)
ORDER BY coalesce(at, won_at), reversal.kind, id
LIMIT $2
