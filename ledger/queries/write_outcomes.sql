-- How requests ended. What was said first stays.
INSERT INTO outcomes (op, account_id, ended, upstream_status, answer_bytes, duration_ms, ended_at)
SELECT *
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::smallint[], $5::bigint[], $6::bigint[], $7::timestamptz[])
ON CONFLICT (op, account_id) DO NOTHING
