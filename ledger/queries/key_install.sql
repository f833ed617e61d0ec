-- A page of a key shard.
SELECT digest, account_id, key_id, revoked_at IS NOT NULL AS revoked, status AS account_status, expires_at, policy, rates_of
FROM api_keys
JOIN accounts USING (account_id)
WHERE key_shard = $1 AND ($2::bytea IS NULL OR digest > $2)
ORDER BY digest
LIMIT $3
