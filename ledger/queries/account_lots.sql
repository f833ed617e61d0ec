-- In burn order.
SELECT lot_id, product, granted_at, expires_at, swept_at, original, remaining
FROM lots
WHERE account_id = $1
ORDER BY expires_at, granted_at, lot_id
