-- Lots past their expiry that nobody has told live state about.
SELECT lot_id, account_id, remaining
FROM lots
WHERE account_id = ANY ($1) AND swept_at IS NULL AND sweep_row IS NULL AND expires_at <= $2
ORDER BY expires_at, lot_id
LIMIT $3
