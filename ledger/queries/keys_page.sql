-- For people: keys of an account ($1), latest first, after one of them ($2), good or ended at an instant ($3: either, $4: good; $5).
SELECT key_id, name, prefix, mode, created_at, expires_at, revoked_at, policy, rotated_to, last_used_at
FROM api_keys
WHERE account_id = $1
  AND ($2::uuid IS NULL OR (created_at, key_id) < (SELECT created_at, key_id FROM api_keys WHERE key_id = $2 AND account_id = $1))
  AND ($3 OR (revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $5)) = $4)
ORDER BY created_at DESC, key_id DESC
LIMIT $6
