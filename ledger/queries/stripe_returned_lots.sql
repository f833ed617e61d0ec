-- Lots that gave back what disputes of a payment had taken, latest first, and how much of each was not asked for since.
SELECT lot_id, original - coalesce(asked.credits, 0)
FROM stripe_reversals
JOIN lots ON lots.lot_id = returned_lot
LEFT JOIN LATERAL (
    SELECT sum(asked)::bigint AS credits
    FROM stripe_clawbacks
    WHERE stripe_clawbacks.payment = $1 AND stripe_clawbacks.lot_id = lots.lot_id
) AS asked ON true
WHERE stripe_reversals.payment = $1
ORDER BY lot_id DESC
