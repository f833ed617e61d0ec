-- What rows of lots and accounts say that no entry does, beside the last change that said so. Only those that differ.
WITH changes AS (
    SELECT account_id, control_version, kind, payload
    FROM outbox
    WHERE account_id = ANY ($1) AND control_version IS NOT NULL
),
grants AS (
    SELECT account_id, payload ->> 'lot' AS subject, payload ->> 'credits' AS original, payload ->> 'granted_at' AS granted_at
    FROM changes
    WHERE kind = 'lot_granted'
),
ends AS (
    SELECT DISTINCT ON (account_id, payload ->> 'lot') account_id, payload ->> 'lot' AS subject, payload ->> 'expires_at' AS expires_at
    FROM changes
    WHERE kind IN ('lot_granted', 'lot_expiry_moved')
    ORDER BY account_id, payload ->> 'lot', control_version DESC
),
statuses AS (
    SELECT DISTINCT ON (account_id) account_id, payload ->> 'status' AS status
    FROM changes
    WHERE kind IN ('account_created', 'status_set')
    ORDER BY account_id, control_version DESC
),
budgets AS (
    SELECT DISTINCT ON (account_id) account_id, payload ->> 'limit' AS budget_limit
    FROM changes
    WHERE kind = 'budget_set'
    ORDER BY account_id, control_version DESC
),
lot_rows AS (
    SELECT account_id, 'lot_' || lot_id AS subject, original::text AS original, ((extract(epoch FROM granted_at) * 1000)::bigint)::text AS granted_at,
           ((extract(epoch FROM expires_at) * 1000)::bigint)::text AS expires_at
    FROM lots
    WHERE account_id = ANY ($1)
),
compared AS (
    SELECT account_id, subject, field, found, changes
    FROM lot_rows
    LEFT JOIN grants USING (account_id, subject)
    LEFT JOIN ends USING (account_id, subject)
    CROSS JOIN LATERAL (VALUES
        ('original', lot_rows.original, grants.original),
        ('granted_at', lot_rows.granted_at, grants.granted_at),
        ('expires_at', lot_rows.expires_at, ends.expires_at)
    ) AS part (field, found, changes)
    UNION ALL
    SELECT account_id, 'account', field, found, changes
    FROM accounts
    LEFT JOIN statuses USING (account_id)
    LEFT JOIN budgets USING (account_id)
    CROSS JOIN LATERAL (VALUES
        ('status', accounts.status, statuses.status),
        ('budget_limit', accounts.budget_limit::text, coalesce(budgets.budget_limit, '0'))
    ) AS part (field, found, changes)
    WHERE account_id = ANY ($1)
)
SELECT account_id, subject, field, coalesce(found, 'nothing') AS found, coalesce(changes, 'nothing') AS changes
FROM compared
WHERE found IS DISTINCT FROM changes
ORDER BY account_id, subject, field
