-- Debits that were lost, the latest first.
SELECT op, account_id, credits, kept, upstream_status, drawn_at, incident_id
FROM losses
WHERE ($1::bigint IS NULL OR incident_id = $1) AND ($2::uuid IS NULL OR account_id = $2)
ORDER BY drawn_at DESC, op
LIMIT $3
