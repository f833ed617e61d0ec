-- How many lots can still be drawn from, and whether the account's credits stay below 2^53 with the new lot, even if
-- every debit were given back.
SELECT count(*) FILTER (WHERE remaining > 0 AND expires_at > $2) AS live,
       coalesce(sum(original), 0) + $3 <= 9007199254740991 AS fits
FROM lots
WHERE account_id = $1 AND swept_at IS NULL
