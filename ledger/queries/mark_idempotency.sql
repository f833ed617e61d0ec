-- Debits under an Idempotency-Key; a key that is used again after its day stands for the later debit.
INSERT INTO idempotency_marks (shard, account_id, key, op, fingerprint, in_use_until, drawn_at)
SELECT $1, marked.* FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::timestamptz[], $7::timestamptz[]) AS marked
ON CONFLICT (account_id, key) DO UPDATE
SET op = excluded.op, fingerprint = excluded.fingerprint, in_use_until = excluded.in_use_until, drawn_at = excluded.drawn_at
