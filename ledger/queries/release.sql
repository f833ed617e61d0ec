-- Gives a shard up; the epoch stays, the next claim raises it.
UPDATE shards
SET owner = NULL, owner_name = NULL, lease_until = NULL, updated_at = clock_timestamp()
WHERE kind = $1 AND number = $2 AND owner = $3 AND epoch = $4
