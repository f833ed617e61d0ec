-- What lots held just before a debit, by what has moved on them since then: the debit is the account's event $5, entry $4, at $3.
WITH moved AS (
    SELECT lot_id, sum(lot_credit) AS credits
    FROM entries, unnest(lot_ids, lot_credits) AS part (lot_id, lot_credit)
    WHERE account_id = $1 AND kind <> 'grant' AND lot_id = ANY ($2)
      AND occurred_at >= $3 AND (seq >= $5 OR (seq IS NULL AND entry_id > $4))
    GROUP BY lot_id
)
SELECT lot_id, product, (remaining - coalesce(moved.credits, 0))::bigint AS before
FROM lots
LEFT JOIN moved USING (lot_id)
WHERE account_id = $1 AND lot_id = ANY ($2)
