-- Entries that are written now and that the cursor has passed, one array a column.
WITH found AS (
    SELECT account_id, NULL::bigint AS incarnation, NULL::bigint AS sequence, kind, debit_op, credits, lapsed, key_id, route, occurred_at
    FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[], $5::bigint[], $6::uuid[], $7::text[], $8::timestamptz[])
        AS entry (account_id, kind, debit_op, credits, lapsed, key_id, route, occurred_at)
),
