-- Moves what remains of lots by what the batch did to each, and answers those that can't take it as it is.
-- A lot that was swept because it was empty is swept again when something came back to it.
WITH asked AS (
    SELECT lot_id, account_id, delta
    FROM unnest($1::bigint[], $2::uuid[], $3::bigint[]) AS asked (lot_id, account_id, delta)
),
found AS (
    SELECT lot_id, remaining + delta AS after, original
    FROM lots
    JOIN asked USING (lot_id, account_id)
),
moved AS (
    UPDATE lots
    SET remaining = least(greatest(found.after, 0), lots.original),
        swept_at = CASE WHEN found.after <= 0 OR lots.sweep_row IS NOT NULL THEN lots.swept_at END
    FROM found
    WHERE lots.lot_id = found.lot_id
)
SELECT asked.lot_id, found.after
FROM asked
LEFT JOIN found USING (lot_id)
WHERE found.lot_id IS NULL OR found.after NOT BETWEEN 0 AND found.original
ORDER BY asked.lot_id
