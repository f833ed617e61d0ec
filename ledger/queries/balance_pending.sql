-- Changes that no event in the book proves delivered.
SELECT account_id, row_id, control_version, payload, settled_at IS NOT NULL AS settled
FROM outbox
WHERE account_id = ANY ($1) AND control_version IS NOT NULL AND delivered_at IS NULL
ORDER BY account_id, control_version
