-- Each key that may still be used has its entry written again.
INSERT INTO outbox (shard_kind, shard, account_id, kind, digest)
SELECT 'keys', key_shard, account_id, 'key_written', digest
FROM api_keys
WHERE account_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)
