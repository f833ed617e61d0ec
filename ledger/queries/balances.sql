-- Accounts, and how far their shards are in the book.
SELECT account_id, account.shard, incarnation, applied_sequence, seq, control_version, status,
       budget_limit, budget_used, budget_period_end
FROM accounts AS account
JOIN shards ON kind = 'accounts' AND number = account.shard
WHERE account_id = ANY ($1)
ORDER BY account_id
