-- What operators have decided about letters of a shard and its owner has not carried out.
SELECT decision_id, account_id, incarnation, discarded, skips_missing, state
FROM dead_letter_decisions
WHERE shard = $1 AND state IN ('asked', 'applied')
ORDER BY decision_id
LIMIT 100
