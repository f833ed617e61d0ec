-- Low balances are told once. Where re-arming is allowed, once more after the balance was seen to rise, or more was granted since than it
-- would have had to rise to, and the pause is over.
WITH low AS (
    SELECT account_id, original, detail
    FROM credits_left($1, $2)
    WHERE is_low
)
INSERT INTO mails (account_id, address, kind, detail, dedupe_key, queued_at)
SELECT low.account_id,
       coalesce(account.email, payer_email(low.account_id)),
       'low_balance',
       low.detail,
       'low_balance:' || replace(low.account_id::text, '-', '') || ':' || (low.detail ->> 'percent')
           || CASE told.times WHEN 0 THEN '' ELSE ':' || told.times END,
       $2
FROM low
JOIN accounts AS account USING (account_id)
CROSS JOIN LATERAL (
    SELECT count(*) AS times FROM mails WHERE mails.account_id = low.account_id AND kind = 'low_balance'
) AS told
LEFT JOIN LATERAL (
    SELECT queued_at, rearmed_at, state
    FROM mails
    WHERE mails.account_id = low.account_id AND kind = 'low_balance'
    ORDER BY mail_id DESC
    LIMIT 1
) AS latest ON true
WHERE told.times = 0
   OR (latest.state <> 'held_back'
       AND $2 >= latest.queued_at + $4::bigint * interval '1 millisecond'
       AND (latest.rearmed_at IS NOT NULL
            OR (SELECT sum(lot.original) * 100 > low.original * $3::bigint
                FROM lots AS lot
                WHERE lot.account_id = low.account_id AND lot.granted_at > latest.queued_at AND lot.granted_at <= $2 AND lot.expires_at > $2)))
ORDER BY low.account_id
ON CONFLICT ON CONSTRAINT mails_once DO NOTHING
