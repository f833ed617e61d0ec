-- $2 and $3 go together: a waiting debit, and the incident that lost it.
WITH lost AS (
    DELETE FROM journal_debits AS debit
    USING unnest($2::bigint[], $3::bigint[]) AS found (row_id, incident_id)
    WHERE debit.shard = $1 AND debit.row_id = found.row_id
    RETURNING debit.*, found.incident_id
)
INSERT INTO losses (
    op, account_id, shard, incarnation, sequence, credits, drawn_at, kept, upstream_status, answer_bytes, duration_ms, incident_id)
SELECT op, account_id, shard, incarnation, sequence, credits, drawn_at, kept, upstream_status, answer_bytes, duration_ms, incident_id
FROM lost
ON CONFLICT (op, account_id) DO NOTHING
RETURNING credits
