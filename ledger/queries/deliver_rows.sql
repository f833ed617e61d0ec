-- Each of these has its own event.
UPDATE outbox
SET delivered_at = delivered.at,
    delivered_incarnation = $1,
    delivered_sequence = delivered.sequence,
    delivered_seq = delivered.seq
FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::timestamptz[]) AS delivered (row_id, sequence, seq, at)
WHERE outbox.row_id = delivered.row_id
