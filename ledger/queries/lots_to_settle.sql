-- Every lot of the accounts: a return may name any of them.
SELECT lot_id, account_id, remaining, original, expires_at, swept_at IS NOT NULL AS swept
FROM lots
WHERE account_id = ANY ($1)
