,
added AS (
    INSERT INTO usage_days (account_id, day, key_id, route, credits, calls)
    SELECT account_id, day, key_id, route, credits, calls FROM moved
    ON CONFLICT ON CONSTRAINT usage_days_once
        DO UPDATE SET credits = usage_days.credits + excluded.credits, calls = usage_days.calls + excluded.calls
),
last AS (
    SELECT incarnation, sequence, occurred_at FROM found ORDER BY incarnation DESC, sequence DESC LIMIT 1
)
SELECT (SELECT count(*) FROM found) AS found,
       (SELECT incarnation FROM last) AS incarnation,
       (SELECT sequence FROM last) AS sequence,
       (SELECT occurred_at FROM last) AS occurred_at,
       ARRAY(SELECT account_id FROM moved WHERE last_at IS NOT NULL GROUP BY account_id ORDER BY account_id) AS drew,
       ARRAY(SELECT max(last_at) FROM moved WHERE last_at IS NOT NULL GROUP BY account_id ORDER BY account_id) AS drew_at
