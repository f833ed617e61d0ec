-- Gives each change the next version of its account and an outbox row, in the order given.
WITH asked AS (
    SELECT account_id, kind, payload, place, row_number() OVER (PARTITION BY account_id ORDER BY place) AS step
    FROM unnest($2::uuid[], $3::text[], $4::jsonb[]) WITH ORDINALITY AS change (account_id, kind, payload, place)
),
steps AS (
    SELECT account_id, count(*) AS steps FROM asked GROUP BY account_id
),
raised AS (
    UPDATE accounts AS account
    SET control_version = account.control_version + steps.steps
    FROM steps
    WHERE account.account_id = steps.account_id
    RETURNING account.account_id, account.control_version - steps.steps AS version_before
),
appended AS (
    INSERT INTO outbox (shard_kind, shard, account_id, control_version, kind, payload)
    SELECT 'accounts', $1, account_id, version_before + step, kind, payload
    FROM asked
    JOIN raised USING (account_id)
    ORDER BY place
    RETURNING row_id, account_id, control_version
)
SELECT appended.control_version, appended.row_id
FROM asked
JOIN raised USING (account_id)
JOIN appended ON appended.account_id = asked.account_id AND appended.control_version = version_before + step
ORDER BY place
