-- Redis answered for these.
UPDATE outbox
SET delivered_at = clock_timestamp(), delivered_incarnation = $3
WHERE shard_kind = 'keys' AND shard = $1 AND row_id = ANY ($2) AND delivered_at IS NULL
