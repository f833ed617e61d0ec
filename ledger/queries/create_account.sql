-- The account before its first change.
INSERT INTO accounts (account_id, name, email, shard, status, anchor_day, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
