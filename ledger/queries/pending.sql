-- What live state of a shard must still be told.
SELECT row_id, account_id, control_version, payload, digest
FROM outbox
WHERE shard_kind = $1 AND shard = $2 AND row_id > $3 AND delivered_at IS NULL
ORDER BY row_id
LIMIT $4
