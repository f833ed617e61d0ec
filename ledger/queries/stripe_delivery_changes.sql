-- The audit of a delivery: what was changed in its name ($3, $4), and what operators decided about it ($5). The account and the time
-- narrow it to what the index finds.
SELECT at, actor, action, account_id, subject, before, after, reason
FROM audit
WHERE (account_id = $1 OR account_id IS NULL)
  AND at >= $2
  AND ((actor = $3 AND reason = $4) OR (subject = $5 AND action IN ('delivery_replayed', 'delivery_resolved')))
ORDER BY audit_id
LIMIT $6
