-- When the account's rate allows another mail: an hour after the mail that is $2 mails back, where that is less than an hour ago.
SELECT handed_over_at
FROM mails
WHERE account_id = $1 AND handed_over_at > $3
ORDER BY handed_over_at DESC
OFFSET $2
LIMIT 1
