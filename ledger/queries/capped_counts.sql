-- What keys with caps have drawn, keys that count as one together: on their last day with a debit, and in the latest budget period of
-- their account. Periods begin at midnight UTC, so days never lie across two.
SELECT account.account_id, counted.key_id,
       coalesce(max(days.day) - date '1970-01-01', 0)::bigint AS day,
       coalesce(sum(days.drawn) FILTER (WHERE days.day = days.last_day), 0)::bigint AS day_drawn,
       account.budget_period_end AS period_end,
       coalesce(sum(days.drawn) FILTER (
           WHERE days.day >= ((account.budget_period_end AT TIME ZONE 'UTC') - interval '1 month')::date
           AND days.day < (account.budget_period_end AT TIME ZONE 'UTC')::date), 0)::bigint AS period_drawn
FROM (SELECT DISTINCT account_id, rates_of AS key_id FROM api_keys WHERE account_id = ANY ($1) AND policy ? 'caps') AS counted
JOIN accounts AS account USING (account_id)
LEFT JOIN (
    SELECT key_id, day, drawn, max(day) OVER (PARTITION BY key_id) AS last_day FROM key_days WHERE account_id = ANY ($1)
) AS days USING (key_id)
GROUP BY account.account_id, counted.key_id, account.budget_period_end
ORDER BY account.account_id, counted.key_id
