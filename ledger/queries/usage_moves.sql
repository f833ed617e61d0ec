-- What they use: a debit draws on its day; what closes it gives back on that day, under the debit's key and route. Second debits of an
-- op are no use of it: each goes back whole, so neither they nor their returns count. A call is a debit of which something stays drawn.
-- Debits are told from the rest within their groups, because a condition on the kind makes the planner expect few of them, and sort all.
drawn AS (
    SELECT account_id, (occurred_at AT TIME ZONE 'UTC')::date AS day, key_id, coalesce(route, '') AS route,
           -sum(credits) FILTER (WHERE kind = 'debit') AS credits, count(*) FILTER (WHERE kind = 'debit') AS calls,
           max(occurred_at) FILTER (WHERE kind = 'debit') AS last_at
    FROM found
    GROUP BY account_id, day, key_id, coalesce(route, '')
    HAVING bool_or(kind = 'debit')
),
returned AS (
    SELECT debit.account_id, (debit.occurred_at AT TIME ZONE 'UTC')::date AS day, debit.key_id, coalesce(debit.route, '') AS route,
           -(found.credits + found.lapsed) AS credits,
           CASE WHEN found.credits + found.lapsed >= -debit.credits THEN -1 ELSE 0 END AS calls
    FROM found
    CROSS JOIN LATERAL (
        SELECT entry.account_id, entry.occurred_at, entry.key_id, entry.route, entry.credits
        FROM entries AS entry
        WHERE entry.op = found.debit_op AND entry.account_id = found.account_id AND entry.kind = 'debit'
        ORDER BY entry.occurred_at DESC
        LIMIT 1
    ) AS debit
    WHERE found.kind IN ('give_back', 'settle')
),
moved AS (
    SELECT account_id, day, key_id, route, sum(credits)::bigint AS credits, sum(calls)::bigint AS calls, max(last_at) AS last_at
    FROM (
        SELECT account_id, day, key_id, route, credits, calls, last_at FROM drawn
        UNION ALL
        SELECT account_id, day, key_id, route, credits, calls, NULL FROM returned
    ) AS move
    GROUP BY account_id, day, key_id, route
)
