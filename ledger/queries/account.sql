-- An account and how many of its changes are on their way.
SELECT account_id, shard, name, email, status, anchor_day, budget_limit, budget_used, budget_period_end, seq, control_version,
       overdraft, created_at,
       (SELECT count(*)
        FROM outbox
        WHERE outbox.account_id = account.account_id AND control_version IS NOT NULL AND delivered_at IS NULL) AS undelivered
FROM accounts AS account
WHERE account_id = $1
