-- Lots that have credits left, or time left in which some may come back.
SELECT account_id, lot_id, remaining, granted_at, expires_at
FROM lots
WHERE account_id = ANY ($1) AND swept_at IS NULL AND (remaining > 0 OR expires_at > $2)
ORDER BY expires_at, granted_at, lot_id
