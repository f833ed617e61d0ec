-- Lots that are not swept; a swept one has nothing left.
SELECT account_id, lot_id, remaining, granted_at, expires_at, control_version
FROM lots
WHERE account_id = ANY ($1) AND swept_at IS NULL
ORDER BY expires_at, granted_at, lot_id
