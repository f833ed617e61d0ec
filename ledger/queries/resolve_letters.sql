-- Letters are applied or discarded, once.
UPDATE dead_letters
SET state = $4, resolved_at = clock_timestamp(), decision_id = $5
WHERE shard = $1 AND incarnation = $2 AND sequence = ANY ($3) AND state = 'open'
