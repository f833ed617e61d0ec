-- Whether a debit is lost (see find_lost.sql) that no rebuild of its shard explains: live state went on without its tail.
SELECT EXISTS (
    SELECT FROM journal_debits AS debit
    WHERE shard = $1 AND row_id <= $6
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
      AND NOT EXISTS (
          SELECT FROM incidents AS incident
          WHERE incident.kind = 'rebuild' AND incident.shard_kind = 'accounts' AND incident.shard = debit.shard
            AND (incident.detail ->> 'incarnation')::bigint > debit.incarnation))
