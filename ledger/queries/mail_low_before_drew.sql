-- Accounts ($1) that were low before anybody looked and have drawn since ($2: when, the last time): their low balance is news.
UPDATE mails AS mail
SET held_reason = 'low_before_over'
FROM unnest($1::uuid[], $2::timestamptz[]) AS drew (account_id, at)
WHERE mail.account_id = drew.account_id AND mail.kind = 'low_balance' AND mail.state = 'held_back' AND mail.held_reason = 'low_before'
  AND drew.at > mail.queued_at
