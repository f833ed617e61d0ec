-- Debits of an account with what became of each, latest first; the cursor ($2, $3) is the last one of the page before. What closed a
-- debit came after it, but for clocks.
WITH page AS (
    SELECT entry_id, op, -credits AS credits, key_id, route, remaining_after, occurred_at
    FROM entries
    WHERE account_id = $1
      AND kind = 'debit'
      AND (occurred_at, entry_id) < (coalesce($2::timestamptz, 'infinity'), coalesce($3::bigint, 9223372036854775807))
    ORDER BY occurred_at DESC, entry_id DESC
    LIMIT $4
)
SELECT page.entry_id, page.op, page.credits, page.key_id, page.route, page.remaining_after, page.occurred_at, api_keys.name AS key_name,
       closed.kind AS closed_by, closed.returned, holds.hold_until, undos.debit_op IS NOT NULL AS undo_asked
FROM page
LEFT JOIN LATERAL (
    SELECT closing.kind, closing.credits + closing.lapsed AS returned
    FROM entries AS closing
    WHERE closing.debit_op = page.op
      AND closing.account_id = $1
      AND closing.kind IN ('settle', 'give_back')
      AND closing.occurred_at >= page.occurred_at - interval '1 day'
    ORDER BY closing.entry_id
    LIMIT 1
) AS closed ON true
LEFT JOIN holds ON holds.op = page.op AND holds.account_id = $1
LEFT JOIN undos ON undos.debit_op = page.op AND undos.account_id = $1
LEFT JOIN api_keys ON api_keys.key_id = page.key_id
ORDER BY page.occurred_at DESC, page.entry_id DESC
