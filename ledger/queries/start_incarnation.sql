-- A new live state: its first event is sequence 0.
UPDATE shards
SET incarnation = greatest(incarnation, $6) + 1,
    state = 'installing',
    applied_sequence = NULL,
    applied_op = NULL,
    applied_kind = NULL,
    updated_at = clock_timestamp()
WHERE kind = $1 AND number = $2 AND epoch = $3 AND certification = $4 AND incarnation = $5 AND owner IS NOT NULL
RETURNING incarnation
