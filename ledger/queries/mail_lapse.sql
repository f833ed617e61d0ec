-- Mails that were being handed over by somebody who never told how it ended: they may have arrived, so they are not sent again.
WITH lapsed AS (
    SELECT mail_id
    FROM mails
    WHERE state = 'sending' AND next_try_at <= $1
    ORDER BY next_try_at, mail_id
    LIMIT $2
    FOR UPDATE SKIP LOCKED
), ended AS (
    UPDATE mails AS mail
    SET state = 'unknown', last_error = 'whoever handed it over did not tell how it ended'
    FROM lapsed
    WHERE mail.mail_id = lapsed.mail_id
    RETURNING mail.mail_id
)
INSERT INTO mail_events (mail_id, what, code, detail, at, recorded_at)
SELECT mail_id, 'unknown', 'worker_gone', 'whoever handed it over did not tell how it ended: it may have arrived', $1, $1
FROM ended
ORDER BY mail_id
RETURNING mail_id
