-- What came of debits that wait to be found in the book.
UPDATE journal_debits AS debit
SET kept = ended.kept, upstream_status = ended.upstream_status, answer_bytes = ended.answer_bytes, duration_ms = ended.duration_ms
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::smallint[], $5::bigint[], $6::bigint[])
    AS ended (op, account_id, kept, upstream_status, answer_bytes, duration_ms)
WHERE debit.op = ended.op AND debit.account_id = ended.account_id
