-- What remained of each lot: its grant, and what entries moved on it up to an instant, or before an entry.
WITH moved AS (
    SELECT lot_id,
           coalesce(sum(lot_credit) FILTER (WHERE kind = 'grant'), 0)
           + coalesce(sum(lot_credit) FILTER (WHERE kind <> 'grant' AND occurred_at <= $2 AND ($3::bigint IS NULL OR entry_id < $3)), 0) AS credits
    FROM entries, unnest(lot_ids, lot_credits) AS part (lot_id, lot_credit)
    WHERE account_id = $1
    GROUP BY lot_id
)
SELECT lot_id, product, granted_at, original, coalesce(moved.credits, 0)::bigint AS remaining
FROM lots
LEFT JOIN moved USING (lot_id)
WHERE account_id = $1
ORDER BY lot_id
