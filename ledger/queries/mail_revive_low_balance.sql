-- Low-balance mails that were held back for a reason that is gone, of accounts that are low still or again: nobody has had them yet.
WITH revived AS (
    UPDATE mails AS mail
    SET state = 'queued', attempts = 0, next_try_at = $2, last_error = NULL,
        detail = balance.detail
    FROM credits_left($1, $2) AS balance
    JOIN accounts AS account USING (account_id)
    LEFT JOIN notice_settings AS settings USING (account_id)
    WHERE mail.account_id = balance.account_id AND mail.kind = 'low_balance' AND mail.state = 'held_back'
      AND balance.is_low
      AND coalesce(settings.low_balance, true)
      AND (held_reason IN ('settings_off', 'switched_on_again', 'low_before_over')
           OR (held_reason = 'no_address' AND (account.email IS NOT NULL OR cardinality(settings.recipients) > 0))
           OR (held_reason = 'bad_address' AND cardinality(settings.recipients) > 0))
    RETURNING mail_id, held_reason
)
INSERT INTO mail_events (mail_id, what, code, detail, at, recorded_at)
SELECT mail_id, 'queued', 'reason_gone', 'it was held back as ' || held_reason || ', which stands no more, and the balance is low', $2, $2
FROM revived
ORDER BY mail_id
