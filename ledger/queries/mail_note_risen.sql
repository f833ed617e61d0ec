-- Balances that have risen above the mark since their last low-balance mail: the next fall may be told again.
UPDATE mails AS mail
SET rearmed_at = $2
FROM credits_left($1, $2) AS balance
WHERE mail.account_id = balance.account_id AND kind = 'low_balance' AND rearmed_at IS NULL
  AND balance.remaining * 100 > balance.original * $3::bigint
