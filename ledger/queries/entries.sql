-- Latest first; the cursor is the last entry of the page before.
SELECT entry_id, account_id, incarnation, sequence, seq, op, debit_op, kind, credits, lot_ids, lot_credits, lapsed, key_id, route,
       remaining_after, budget_used_after, budget_period_end, outbox_row, occurred_at
FROM entries
WHERE account_id = $1
  AND ($2::timestamptz IS NULL OR (occurred_at, entry_id) < ($2, $3))
ORDER BY occurred_at DESC, entry_id DESC
LIMIT $4
