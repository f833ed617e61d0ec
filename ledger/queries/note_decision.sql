-- How far a decision is.
UPDATE dead_letter_decisions
SET state = $2, applied = applied + $3, refusal = $4, done_at = CASE WHEN $2 IN ('done', 'refused') THEN clock_timestamp() END
WHERE decision_id = $1 AND state IN ('asked', 'applied')
