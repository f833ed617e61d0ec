-- Accounts that are low already when low balances begin to be looked at: that is old news, which nobody is mailed about. Each gets its one
-- mail, held back, so that support sees why there was none; it is queued once the account draws, or falls again after it has risen.
WITH low AS (
    SELECT account_id, detail FROM credits_left(ARRAY(SELECT account_id FROM accounts), now()) WHERE is_low
)
INSERT INTO mails (account_id, address, kind, detail, dedupe_key, queued_at, state, held_reason)
SELECT low.account_id,
       coalesce(account.email, payer_email(low.account_id)),
       'low_balance',
       low.detail,
       'low_balance:' || replace(low.account_id::text, '-', '') || ':' || (low.detail ->> 'percent'),
       now(),
       'held_back',
       'low_before'
FROM low
JOIN accounts AS account USING (account_id)
ORDER BY low.account_id
ON CONFLICT ON CONSTRAINT mails_once DO NOTHING;

INSERT INTO mail_events (mail_id, what, code, detail, at, recorded_at)
SELECT mail_id, 'held_back', 'low_before', 'the balance was low before low balances were looked at', now(), now()
FROM mails
WHERE kind = 'low_balance' AND state = 'held_back' AND held_reason = 'low_before'
ORDER BY mail_id;
