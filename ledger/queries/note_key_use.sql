-- When keys were last used, to the minute: more would write each key's row with each batch.
UPDATE api_keys
SET last_used_at = used.at
FROM unnest($1::uuid[], $2::timestamptz[]) AS used (key_id, at)
WHERE api_keys.key_id = used.key_id AND (last_used_at IS NULL OR last_used_at < used.at - interval '1 minute')
