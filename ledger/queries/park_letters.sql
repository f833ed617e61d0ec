-- Events that can't be applied, one array a column.
INSERT INTO dead_letters (
    shard, incarnation, sequence, kind, account_id, seq, op, credits, occurred_at, bytes, bytes_total, follows, reason)
SELECT $1, $2, sequence, kind, account_id, seq, op, credits, occurred_at, bytes, bytes_total, follows, reason
FROM unnest(
    $3::bigint[], $4::text[], $5::uuid[], $6::bigint[], $7::uuid[], $8::bigint[], $9::timestamptz[], $10::bytea[], $11::bigint[],
    $12::boolean[], $13::text[]
) AS letter (sequence, kind, account_id, seq, op, credits, occurred_at, bytes, bytes_total, follows, reason)
