-- What an operator decided; the owner of the shard carries it out.
INSERT INTO dead_letter_decisions (shard, account_id, incarnation, discarded, skips_missing, asked_at)
VALUES ($1, $2, $3, $4, $5, $6)
RETURNING decision_id
