-- A lot counts from its grant on; its control version is that of the change that tells live state.
INSERT INTO lots (account_id, shard, product, original, remaining, granted_at, expires_at, source_kind, source_id, control_version)
SELECT account_id, $2, $3, $4, $4, $5, $6, $7, $8, control_version + 1
FROM accounts
WHERE account_id = $1
ON CONFLICT ON CONSTRAINT lots_source_once DO NOTHING
RETURNING lot_id
