-- A reversal, whatever came first: the end of its dispute, a smaller refund, the same report again.
INSERT INTO stripe_reversals AS known (kind, id, invoice, payment_intent, charge, payment, refunded, amount, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT ON CONSTRAINT stripe_reversals_pkey DO UPDATE
SET invoice = coalesce(known.invoice, excluded.invoice),
    payment_intent = coalesce(known.payment_intent, excluded.payment_intent),
    charge = coalesce(known.charge, excluded.charge),
    payment = coalesce(known.payment, excluded.payment),
    refunded = greatest(known.refunded, excluded.refunded),
    at = least(known.at, excluded.at)
