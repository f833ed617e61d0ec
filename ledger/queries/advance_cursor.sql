-- Only the owner that the fence names, and only from where the book is.
UPDATE shards
SET applied_sequence = $6, applied_op = $7, applied_kind = $8, drained_at = clock_timestamp(), updated_at = clock_timestamp()
WHERE kind = 'accounts'
  AND number = $1
  AND owner IS NOT NULL
  AND epoch = $2
  AND certification = $3
  AND incarnation = $4
  AND applied_sequence IS NOT DISTINCT FROM $5
