-- Idempotency keys whose debit was given back: they may be used again.
DELETE FROM idempotency_marks AS mark USING unnest($1::uuid[], $2::uuid[]) AS freed (op, account_id)
WHERE mark.op = freed.op AND mark.account_id = freed.account_id
