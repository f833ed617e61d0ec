-- How much of the outbox is waiting, and for how long.
SELECT count(*) AS rows,
       coalesce(floor(extract(epoch FROM clock_timestamp() - min(created_at)) * 1000), 0)::bigint AS age_ms
FROM outbox
WHERE shard_kind = $1 AND shard = $2 AND delivered_at IS NULL
