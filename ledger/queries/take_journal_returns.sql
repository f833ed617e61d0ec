-- Give-backs and settlements that the book does not have yet, and that nobody has asked to undo.
INSERT INTO journal_returns (op, account_id, shard, incarnation, sequence, kept, drawn_at, ended_at)
SELECT returned.op, returned.account_id, account.shard, returned.incarnation, returned.sequence, returned.kept, returned.drawn_at,
       returned.ended_at
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::timestamptz[], $7::timestamptz[])
    AS returned (op, account_id, incarnation, sequence, kept, drawn_at, ended_at)
JOIN accounts AS account USING (account_id)
WHERE NOT EXISTS (
    SELECT FROM entries
    WHERE entries.debit_op = returned.op AND entries.account_id = returned.account_id
      AND entries.kind IN ('give_back', 'settle') AND entries.occurred_at >= $8
)
AND NOT EXISTS (SELECT FROM undos WHERE undos.debit_op = returned.op AND undos.account_id = returned.account_id)
ON CONFLICT (op, account_id) DO NOTHING
