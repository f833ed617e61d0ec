-- What was left of these was taken out.
UPDATE lots
SET swept_at = swept.at
FROM unnest($1::bigint[], $2::timestamptz[]) AS swept (lot_id, at)
WHERE lots.lot_id = swept.lot_id
