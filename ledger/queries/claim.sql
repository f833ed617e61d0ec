-- Takes a shard that is free, or whose owner let its lease run out, or that the book takes for ours though nobody of us serves it: it was put back to
-- when we did, under another epoch.
UPDATE shards AS shard
SET owner = $3,
    owner_name = (SELECT name FROM owners WHERE owners.owner = $3),
    epoch = epoch + 1,
    lease_until = clock_timestamp() + make_interval(secs => $4),
    updated_at = clock_timestamp()
WHERE kind = $1
  AND number = $2
  AND (shard.owner IS NULL OR shard.owner = $3 OR lease_until < clock_timestamp())
