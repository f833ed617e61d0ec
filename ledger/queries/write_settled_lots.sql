-- Absolute, because the accounts are locked and the shard's row is held: nobody else moves what remains.
UPDATE lots
SET remaining = settled.remaining
FROM unnest($1::bigint[], $2::bigint[]) AS settled (lot_id, remaining)
WHERE lots.lot_id = settled.lot_id
