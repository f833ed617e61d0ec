-- Keys that may draw no more.
SELECT account_id, key_id
FROM api_keys
WHERE account_id = ANY ($1) AND revoked_at IS NOT NULL
ORDER BY key_id
