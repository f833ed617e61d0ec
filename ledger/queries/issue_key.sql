-- A key: its digest only.
INSERT INTO api_keys (key_id, account_id, digest, key_shard, prefix, name, mode, created_at, expires_at, policy, rates_of)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
