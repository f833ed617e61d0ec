-- Entries of keys as they are now.
SELECT digest, account_id, key_id, revoked_at IS NOT NULL AS revoked, status AS account_status, expires_at, policy, rates_of
FROM api_keys
JOIN accounts USING (account_id)
WHERE digest = ANY ($1)
