-- Reversals of these names that waited for this payment.
UPDATE stripe_reversals
SET payment = $1
WHERE payment IS NULL AND (payment_intent = ANY ($2) OR charge = ANY ($2) OR invoice = ANY ($2))
