-- Marks that an install writes: of debits under an Idempotency-Key that are not a day old.
SELECT account_id, key, op, fingerprint, in_use_until, drawn_at
FROM idempotency_marks
WHERE account_id = ANY ($1) AND drawn_at > $2
