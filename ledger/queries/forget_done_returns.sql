-- They came after all, or somebody has asked to undo the debit, or it was lost itself and nothing is to be returned.
DELETE FROM journal_returns AS returned
WHERE returned.shard = $1
AND (
    EXISTS (
        SELECT FROM dead_letters AS letter
        WHERE letter.op = returned.op AND letter.account_id = returned.account_id AND letter.state = 'discarded'
    )
    OR 
    EXISTS (
        SELECT FROM entries
        WHERE entries.debit_op = returned.op AND entries.account_id = returned.account_id
          AND entries.kind IN ('give_back', 'settle') AND entries.occurred_at >= returned.drawn_at - interval '1 minute'
    )
    OR EXISTS (SELECT FROM undos WHERE undos.debit_op = returned.op AND undos.account_id = returned.account_id)
    OR EXISTS (SELECT FROM losses WHERE losses.op = returned.op AND losses.account_id = returned.account_id)
)
