-- Of each account: its budget's use and its count of events, beside what entries, deliveries and events given up say.
WITH asked AS (
    SELECT account_id, seq, overdraft, budget_used, budget_period_end FROM accounts WHERE account_id = ANY ($1)
),
budgets AS (
    SELECT account_id, sum(CASE WHEN kind IN ('debit', 'debit_duplicate') THEN -credits ELSE -credits - lapsed END)::bigint AS used
    FROM entries
    JOIN asked USING (account_id, budget_period_end)
    WHERE kind IN ('debit', 'debit_duplicate', 'give_back', 'settle', 'duplicate_return')
    GROUP BY account_id
),
numbers AS (
    SELECT account_id, entries.seq FROM entries JOIN asked USING (account_id) WHERE entries.seq IS NOT NULL
    UNION
    SELECT account_id, delivered_seq FROM outbox JOIN asked USING (account_id) WHERE delivered_seq IS NOT NULL
    UNION
    SELECT account_id, generate_series(first_seq, last_seq) FROM seq_gaps JOIN asked USING (account_id)
),
counts AS (
    SELECT account_id, count(*) AS present, max(seq) AS highest FROM numbers GROUP BY account_id
)
SELECT account_id, seq, overdraft, budget_used, coalesce(used, 0) AS budget_entries,
       coalesce(present, 0) AS present, coalesce(highest, 0) AS highest
FROM asked
LEFT JOIN budgets USING (account_id)
LEFT JOIN counts USING (account_id)
ORDER BY account_id
