-- Accounts to which a text may belong, each way by its own index, by id after $2: words of name and address by their beginnings ($1), the
-- account's or a key's id ($3, $4), a customer of Stripe ($5), a key's first letters ($6, a pattern). Where few accounts have the words,
-- they are all found by those; where many have, the next ones by id are near.
WITH few AS MATERIALIZED (
    SELECT account_id FROM account_words WHERE words @@ search_beginnings($1) LIMIT 5001
),
found AS (
    (
        SELECT account_id
        FROM few
        WHERE account_id > $2 AND (SELECT count(*) FROM few) <= 5000
        ORDER BY account_id
        LIMIT $7
    )
    UNION ALL
    (
        SELECT account_id
        FROM account_words
        WHERE words @@ search_beginnings($1) AND account_id > $2 AND (SELECT count(*) FROM few) > 5000
        ORDER BY account_id
        LIMIT $7
    )
    UNION ALL
    SELECT account_id FROM accounts WHERE account_id = $3 AND account_id > $2
    UNION ALL
    SELECT account_id FROM api_keys WHERE key_id = $4 AND account_id > $2
    UNION ALL
    SELECT account_id FROM stripe_customers WHERE customer = $5 AND account_id > $2
    UNION ALL
    (
        SELECT account_id
        FROM api_keys
        WHERE prefix LIKE $6 AND account_id > $2
        ORDER BY account_id
        LIMIT $7
    )
),
page AS (
    SELECT DISTINCT account_id FROM found ORDER BY account_id LIMIT $7
)
-- One by one, however many somebody thinks a page may have.
SELECT page.account_id, name, email, status
FROM page
CROSS JOIN LATERAL (SELECT name, email, status FROM accounts WHERE accounts.account_id = page.account_id LIMIT 1) AS account
ORDER BY page.account_id
