-- Notes how far lots had moved at each $2-th event of accounts ($1) that have so many since their last mark: of at most $3 accounts, at most $4
-- entries of events each. The book's own entries have no event; they were made when their outbox row was settled, and stand by their number.
WITH due AS (
    SELECT account.account_id, account.seq AS reached, coalesce(latest.seq, 0) AS seq, coalesce(latest.entry_id, 0) AS entry_id,
           coalesce(latest.occurred_at, '-infinity') AS occurred_at
    FROM accounts AS account
    LEFT JOIN LATERAL (
        SELECT mark.seq, mark.entry_id, mark.occurred_at
        FROM account_marks AS mark
        WHERE mark.account_id = account.account_id
        ORDER BY mark.seq DESC
        LIMIT 1
    ) AS latest ON true
    WHERE account.account_id = ANY ($1) AND account.seq >= coalesce(latest.seq, 0) + $2
    LIMIT $3
),
event AS (
    SELECT due.account_id, due.seq + ((entry.seq - due.seq - 1) / $2 + 1) * $2 AS mark, entry.seq, entry.entry_id, entry.occurred_at,
           entry.lot_ids, entry.lot_credits,
           CASE WHEN count(*) OVER of_account < $4 THEN due.reached ELSE max(entry.seq) OVER of_account END AS reached
    FROM due
    CROSS JOIN LATERAL (
        SELECT seq, entry_id, occurred_at, lot_ids, lot_credits
        FROM entries
        WHERE entries.account_id = due.account_id AND entries.occurred_at >= due.occurred_at AND entries.seq > due.seq
        ORDER BY entries.occurred_at, entries.seq
        LIMIT $4
    ) AS entry
    WINDOW of_account AS (PARTITION BY due.account_id)
),
mark AS (
    SELECT DISTINCT ON (account_id, mark) account_id, mark AS seq, entry_id, occurred_at
    FROM event
    WHERE mark <= reached
    ORDER BY account_id, mark, event.seq DESC
),
settled AS (
    SELECT due.account_id, entry.entry_id, entry.lot_ids, entry.lot_credits
    FROM due
    CROSS JOIN LATERAL (SELECT DISTINCT settled_at FROM outbox WHERE outbox.account_id = due.account_id AND settled_at IS NOT NULL) AS change
    JOIN entries AS entry ON entry.account_id = due.account_id AND entry.occurred_at = change.settled_at AND entry.seq IS NULL
    WHERE entry.kind <> 'grant' AND entry.entry_id > due.entry_id
),
moved AS (
    SELECT account_id, mark, lot_id, sum(lot_credit) AS credits
    FROM (
        SELECT account_id, mark, lot_ids, lot_credits FROM event WHERE mark <= reached
        UNION ALL
        SELECT account_id,
               (SELECT min(mark.seq) FROM mark WHERE mark.account_id = settled.account_id AND mark.entry_id > settled.entry_id),
               lot_ids, lot_credits
        FROM settled
    ) AS entry, unnest(lot_ids, lot_credits) AS part (lot_id, lot_credit)
    WHERE mark IS NOT NULL
    GROUP BY account_id, mark, lot_id
),
noted AS (
    INSERT INTO lot_marks (lot_id, seq, moved)
    SELECT moved.lot_id, moved.mark, coalesce(known.moved, 0) + sum(moved.credits) OVER (PARTITION BY moved.lot_id ORDER BY moved.mark)
    FROM moved
    LEFT JOIN LATERAL (
        SELECT lot_mark.moved FROM lot_marks AS lot_mark WHERE lot_mark.lot_id = moved.lot_id ORDER BY lot_mark.seq DESC LIMIT 1
    ) AS known ON true
)
INSERT INTO account_marks (account_id, seq, entry_id, occurred_at)
SELECT account_id, seq, entry_id, occurred_at FROM mark
