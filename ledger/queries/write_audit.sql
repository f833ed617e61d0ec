-- Who changed what, and why.
INSERT INTO audit (at, actor, action, account_id, subject, before, after, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
