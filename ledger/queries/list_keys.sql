-- For people: nothing here opens anything.
SELECT key_id, name, prefix, mode, created_at, expires_at, revoked_at, policy, rotated_to, last_used_at
FROM api_keys
WHERE account_id = $1
ORDER BY created_at, key_id
