-- What came of debits that were found lost. A statement of its own, so that it sees those that were waiting until just now.
UPDATE losses AS loss
SET kept = ended.kept, upstream_status = ended.upstream_status, answer_bytes = ended.answer_bytes, duration_ms = ended.duration_ms
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::smallint[], $5::bigint[], $6::bigint[])
    AS ended (op, account_id, kept, upstream_status, answer_bytes, duration_ms)
WHERE loss.op = ended.op AND loss.account_id = ended.account_id
