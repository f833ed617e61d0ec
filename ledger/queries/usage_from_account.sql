-- Entries of accounts ($1) that are counted: of no event, or not after the cursor of their shard.
WITH found AS (
    SELECT entry.account_id, entry.incarnation, entry.sequence, kind, debit_op, credits, lapsed, key_id, route, occurred_at
    FROM entries AS entry
    JOIN usage_cursors AS counted ON counted.shard = entry.shard
    WHERE account_id = ANY ($1)
      AND counted.incarnation IS NOT NULL
      AND (entry.incarnation IS NULL OR (entry.incarnation, entry.sequence) <= (counted.incarnation, counted.sequence))
),
