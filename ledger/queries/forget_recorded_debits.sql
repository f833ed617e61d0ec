-- They are in the book now, or their events are set aside for an operator to decide about.
DELETE FROM journal_debits AS debit
WHERE debit.shard = $1 AND debit.row_id = ANY ($2)
AND (
    EXISTS (
        SELECT FROM entries
        WHERE entries.op = debit.op AND entries.account_id = debit.account_id AND entries.kind = 'debit'
          AND entries.occurred_at BETWEEN debit.drawn_at - interval '1 minute' AND debit.drawn_at + interval '1 minute'
    )
    OR EXISTS (
        SELECT FROM dead_letters AS letter
        WHERE letter.shard = debit.shard AND letter.incarnation = debit.incarnation AND letter.sequence = debit.sequence
          AND (letter.op = debit.op OR letter.op IS NULL)
    )
)
