-- The book will never have them: their incarnation was replaced, or its cursor has passed them, or live state counts less than their
-- number, and was asked after they were posted. What waits for none of these can still come. One that was posted since
-- forget_recorded_debits.sql has looked may be in the book.
WITH lost AS (
    DELETE FROM journal_debits AS debit
    WHERE shard = $1 AND row_id <= $7
      AND (incarnation < $2
           OR (incarnation = $2 AND sequence <= $3)
           OR (incarnation = $2 AND row_id <= $4 AND sequence > $5))
      AND NOT EXISTS (
          SELECT FROM entries
          WHERE entries.op = debit.op AND entries.account_id = debit.account_id AND entries.kind = 'debit'
            AND entries.occurred_at BETWEEN debit.drawn_at - interval '1 minute' AND debit.drawn_at + interval '1 minute'
      )
      AND NOT EXISTS (
          SELECT FROM dead_letters AS letter
          WHERE letter.shard = debit.shard AND letter.incarnation = debit.incarnation AND letter.sequence = debit.sequence
            AND (letter.op = debit.op OR letter.op IS NULL)
      )
    RETURNING debit.*
)
INSERT INTO losses (
    op, account_id, shard, incarnation, sequence, credits, drawn_at, kept, upstream_status, answer_bytes, duration_ms, incident_id)
SELECT op, account_id, shard, incarnation, sequence, credits, drawn_at, kept, upstream_status, answer_bytes, duration_ms,
       coalesce((
           SELECT incident.incident_id
           FROM incidents AS incident
           WHERE incident.kind = 'rebuild' AND incident.shard_kind = 'accounts' AND incident.shard = lost.shard
             AND (incident.detail ->> 'incarnation')::bigint > lost.incarnation
           ORDER BY (incident.detail ->> 'incarnation')::bigint
           LIMIT 1
       ), $6)
FROM lost
ON CONFLICT (op, account_id) DO NOTHING
RETURNING credits
