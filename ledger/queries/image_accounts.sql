-- What an install writes of an account itself.
SELECT account_id, seq, control_version, control_row, status, anchor_day, budget_limit, budget_used, budget_period_end
FROM accounts
WHERE account_id = ANY ($1)
ORDER BY account_id
