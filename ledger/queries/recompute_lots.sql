-- What remains of each lot, beside the sum over its entries. Grants are entries too, so the sum alone must be what remains.
WITH moved AS (
    SELECT account_id, lot_id, sum(lot_credit)::bigint AS entries
    FROM entries, unnest(lot_ids, lot_credits) AS part (lot_id, lot_credit)
    WHERE account_id = ANY ($1)
    GROUP BY account_id, lot_id
)
SELECT account_id, lot_id, remaining, coalesce(swept_at IS NOT NULL AND remaining IS NOT NULL, false) AS swept,
       coalesce(entries, 0) AS entries
FROM (SELECT account_id, lot_id, remaining, swept_at FROM lots WHERE account_id = ANY ($1)) AS lot
FULL JOIN moved USING (account_id, lot_id)
WHERE remaining IS DISTINCT FROM entries OR (swept_at IS NOT NULL AND remaining <> 0)
ORDER BY account_id, lot_id
