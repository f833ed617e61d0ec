-- Keys that may draw only so much, and those that count as one with such a key.
SELECT account_id, key_id, rates_of, policy
FROM api_keys
WHERE account_id = ANY ($1)
AND rates_of IN (SELECT rates_of FROM api_keys WHERE account_id = ANY ($1) AND policy ? 'caps')
ORDER BY account_id, key_id
