-- A new live state: its first event is sequence 0. With how far the book had followed the one before.
WITH before AS (
    SELECT applied_sequence
    FROM shards
    WHERE kind = $1 AND number = $2 AND epoch = $3 AND certification = $4 AND incarnation = $5 AND owner IS NOT NULL
    FOR UPDATE
)
UPDATE shards
SET incarnation = greatest(incarnation, $6) + 1,
    state = 'installing',
    applied_sequence = NULL,
    applied_op = NULL,
    applied_kind = NULL,
    updated_at = clock_timestamp()
FROM before
WHERE kind = $1 AND number = $2
RETURNING incarnation, before.applied_sequence
