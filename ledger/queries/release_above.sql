-- Gives a shard up; the next claim gets an epoch that was never given.
UPDATE shards
SET owner = NULL, owner_name = NULL, lease_until = NULL, epoch = greatest(epoch, $5), updated_at = clock_timestamp()
WHERE kind = $1 AND number = $2 AND owner = $3 AND epoch = $4
