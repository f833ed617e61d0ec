-- What lots ($2) held just before a debit: their grant, what had moved on them up to the account's last mark before it, and what has moved
-- since then. The debit is the account's event $5, entry $4, at $3; its lots were granted before it.
WITH mark AS (
    SELECT seq, entry_id, occurred_at FROM account_marks WHERE account_id = $1 AND seq < $5 ORDER BY seq DESC LIMIT 1
),
since AS (
    SELECT seq, entry_id, occurred_at FROM mark
    UNION ALL
    SELECT 0, 0, min(granted_at) FROM lots WHERE lot_id = ANY ($2) AND NOT EXISTS (SELECT FROM mark)
    LIMIT 1
),
-- Of no event: what an install has settled in the book, whenever it says that was.
settled AS (
    SELECT entry.lot_ids, entry.lot_credits
    FROM (SELECT DISTINCT settled_at FROM outbox WHERE account_id = $1 AND settled_at IS NOT NULL) AS change
    JOIN entries AS entry ON entry.account_id = $1 AND entry.occurred_at = change.settled_at AND entry.seq IS NULL
    WHERE entry.kind <> 'grant' AND entry.entry_id > (SELECT entry_id FROM since) AND entry.entry_id < $4
),
moved AS (
    SELECT lot_id, sum(lot_credit) AS credits
    FROM (
        SELECT lot_ids, lot_credits
        FROM entries
        WHERE account_id = $1 AND occurred_at >= (SELECT occurred_at FROM since) AND occurred_at <= $3
          AND seq > (SELECT seq FROM since) AND seq < $5
        UNION ALL
        SELECT lot_ids, lot_credits FROM settled
    ) AS entry, unnest(lot_ids, lot_credits) AS part (lot_id, lot_credit)
    WHERE lot_id = ANY ($2)
    GROUP BY lot_id
)
SELECT lots.lot_id, lots.product, (lots.original + coalesce(marked.moved, 0) + coalesce(moved.credits, 0))::bigint AS before
FROM lots
LEFT JOIN moved USING (lot_id)
LEFT JOIN LATERAL (
    SELECT lot_mark.moved
    FROM lot_marks AS lot_mark
    WHERE lot_mark.lot_id = lots.lot_id AND lot_mark.seq <= (SELECT seq FROM since)
    ORDER BY lot_mark.seq DESC
    LIMIT 1
) AS marked ON true
WHERE lots.account_id = $1 AND lots.lot_id = ANY ($2)
