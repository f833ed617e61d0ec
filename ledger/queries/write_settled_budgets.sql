-- Lowered by what was given back in the period counted.
UPDATE accounts AS account
SET budget_used = settled.used
FROM unnest($1::uuid[], $2::bigint[]) AS settled (account_id, used)
WHERE account.account_id = settled.account_id AND account.budget_used <> settled.used
