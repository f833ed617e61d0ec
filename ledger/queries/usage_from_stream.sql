-- Entries of events of a shard ($1) after its cursor ($2, $3), at most $4. The cursor stands in queries of its own, so that no plan is made
-- for its value: few entries seem to be after it, and then all of them are read and sorted where the index has them in order.
WITH found AS (
    SELECT account_id, incarnation, sequence, kind, debit_op, credits, lapsed, key_id, route, occurred_at
    FROM entries
    WHERE shard = $1 AND (incarnation, sequence) > ((SELECT $2::bigint), (SELECT $3::bigint))
    ORDER BY incarnation, sequence
    LIMIT $4
),
