-- Mails whose time has come, oldest first; whoever claims one has it until the lease is over.
WITH due AS (
    SELECT mail_id
    FROM mails
    WHERE state = 'queued' AND next_try_at <= $1
    ORDER BY next_try_at, mail_id
    LIMIT $3
    FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE mails AS mail
    SET turn = turn + 1, attempts = attempts + 1, next_try_at = $2
    FROM due
    WHERE mail.mail_id = due.mail_id
    RETURNING mail.mail_id, turn, attempts, account_id, address, kind, detail, message_id, queued_at
)
SELECT mail_id, turn, attempts, account_id, address, kind, detail, message_id, queued_at, account.name AS account_name,
       account.email AS account_email, coalesce(settings.low_balance, true) AS low_balance, coalesce(settings.lifecycle, true) AS lifecycle,
       coalesce(settings.recipients, '{}') AS recipients, coalesce(settings.version, 0) AS version
FROM claimed
JOIN accounts AS account USING (account_id)
LEFT JOIN notice_settings AS settings USING (account_id)
ORDER BY mail_id
