-- Holds that wait to be settled.
INSERT INTO holds (op, account_id, shard, hold_until, drawn_at)
SELECT op, account_id, $1, hold_until, drawn_at
FROM unnest($2::uuid[], $3::uuid[], $4::timestamptz[], $5::timestamptz[]) AS opened (op, account_id, hold_until, drawn_at)
