-- Promised before $2 by the shard's clock, and not in the book though their debit is; those that were asked for since then are waited for.
SELECT returned.op, returned.account_id, returned.incarnation, returned.sequence, returned.kept, returned.drawn_at, mark.key
FROM journal_returns AS returned
LEFT JOIN idempotency_marks AS mark USING (op, account_id)
WHERE returned.shard = $1
  AND returned.ended_at < $2
  AND (returned.asked_at IS NULL OR returned.asked_at < $2)
  AND EXISTS (
      SELECT FROM entries
      WHERE entries.op = returned.op AND entries.account_id = returned.account_id AND entries.kind = 'debit'
        AND entries.occurred_at BETWEEN returned.drawn_at - interval '1 minute' AND returned.drawn_at + interval '1 minute'
  )
ORDER BY returned.ended_at
LIMIT $3
