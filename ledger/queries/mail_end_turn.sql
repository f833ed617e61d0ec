-- How a turn ended. One whose mail is somebody else's by now changes nothing; what was not taken does not count for the account's rate.
UPDATE mails
SET state = $3,
    next_try_at = coalesce($5, next_try_at),
    held_reason = coalesce($6, held_reason),
    last_error = $7,
    handed_over_at = CASE WHEN $8 THEN handed_over_at END
WHERE mail_id = $1 AND turn = $2 AND state = ANY ($4)
