-- Names need not be unique.
SELECT account_id, name, email, status
FROM accounts
WHERE lower(name) = lower($1)
ORDER BY account_id
LIMIT $2
