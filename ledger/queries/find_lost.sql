-- Of a page without those that are recorded: which the book will never have, because their incarnation was replaced, or its cursor has
-- passed them, or live state counts less than their number, and was asked after they were posted. What waits for none of these can
-- still come. With the rebuild that lost them; none = live state went on without its tail, be it that a rebuild came after: that one
-- has lost only what the cursor had not passed.
SELECT debit.row_id,
       (
           SELECT CASE
                      WHEN (incident.detail ->> 'replaced')::bigint = debit.incarnation
                           AND debit.sequence <= (incident.detail ->> 'followed_to')::bigint THEN NULL
                      ELSE incident.incident_id
                  END
           FROM incidents AS incident
           WHERE incident.kind = 'rebuild' AND incident.shard_kind = 'accounts' AND incident.shard = debit.shard
             AND (incident.detail ->> 'incarnation')::bigint > debit.incarnation
           ORDER BY (incident.detail ->> 'incarnation')::bigint
           LIMIT 1
       )
FROM journal_debits AS debit
JOIN shards AS shard ON shard.kind = 'accounts' AND shard.number = debit.shard
WHERE debit.shard = $1 AND debit.row_id = ANY ($2)
  AND (debit.incarnation < shard.incarnation
       OR (debit.incarnation = shard.incarnation AND debit.sequence <= shard.applied_sequence)
       OR (debit.incarnation = shard.incarnation AND debit.row_id <= $3 AND debit.sequence > $4))
