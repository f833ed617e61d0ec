-- Idempotency marks that are a day old.
DELETE FROM idempotency_marks AS mark USING unnest($2::uuid[], $3::uuid[]) AS old (account_id, key)
WHERE mark.account_id = old.account_id AND mark.key = old.key AND mark.drawn_at <= $1
