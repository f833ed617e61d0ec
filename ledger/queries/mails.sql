-- Mails that a filter lets through, latest first.
SELECT mail_id, account_id, address, kind, detail, state, message_id, addresses, attempts, next_try_at, last_error, held_reason, queued_at,
       handed_over_at
FROM mails
WHERE ($1::uuid IS NULL OR account_id = $1)
  AND ($2::text[] IS NULL OR state = ANY ($2))
  AND ($3::bigint IS NULL OR mail_id < $3)
  AND ($4::bigint IS NULL OR mail_id = $4)
ORDER BY mail_id DESC
LIMIT $5
