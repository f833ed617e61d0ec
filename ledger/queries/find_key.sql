-- A key, for whoever is about to change it.
SELECT account_id, digest, key_shard, name, mode, expires_at, revoked_at, policy, rates_of, rotated_to
FROM api_keys
WHERE key_id = $1
