-- The grant's entry: made by the book itself, so it has no place in the stream.
INSERT INTO entries (account_id, shard, kind, credits, lot_ids, lot_credits, outbox_row, occurred_at)
SELECT lot.account_id, lot.shard, 'grant', lot.original, ARRAY[lot.lot_id], ARRAY[lot.original], outbox.row_id, $3
FROM lots AS lot
JOIN outbox ON outbox.account_id = lot.account_id AND outbox.control_version = $2
WHERE lot.lot_id = $1
