-- Remembers which outbox row takes out what is left of a lot.
UPDATE lots
SET sweep_row = pair.row_id
FROM unnest($1::bigint[], $2::bigint[]) AS pair (lot_id, row_id)
WHERE lots.lot_id = pair.lot_id
