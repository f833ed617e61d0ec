-- The least versions of sessions that are still good; an empty subject is everybody.
SELECT account_id, subject, version
FROM session_versions
WHERE account_id = ANY ($1)
ORDER BY account_id, subject
