-- Accounts ($1) that were low before anybody looked and are not now ($2): when they are low again, that is news.
UPDATE mails AS mail
SET held_reason = 'low_before_over'
WHERE mail.account_id = ANY ($1) AND mail.kind = 'low_balance' AND mail.state = 'held_back' AND mail.held_reason = 'low_before'
  AND NOT EXISTS (SELECT FROM credits_left(ARRAY[mail.account_id], $2) AS balance WHERE balance.is_low)
