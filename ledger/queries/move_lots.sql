-- Moves what remains of lots by what the batch did to each, those that can take it as it is.
-- A lot that was swept because it was empty is swept again when something came back to it.
UPDATE lots AS lot
SET remaining = remaining + delta,
    swept_at = CASE WHEN delta < 0 OR sweep_row IS NOT NULL THEN swept_at END
FROM unnest($1::bigint[], $2::uuid[], $3::bigint[]) AS asked (lot_id, account_id, delta)
WHERE lot.lot_id = asked.lot_id
  AND lot.account_id = asked.account_id
  AND remaining + delta BETWEEN 0 AND original
RETURNING lot.lot_id
