-- Entries of a shard ($1) that are of no event: what the book itself has given back.
WITH found AS (
    SELECT account_id, incarnation, sequence, kind, debit_op, credits, lapsed, key_id, route, occurred_at
    FROM entries
    WHERE shard = $1 AND incarnation IS NULL
),
