-- Raises the version of a person, or of everybody (empty), which those of persons that it reaches are not needed beside.
WITH needless AS (
    DELETE FROM session_versions
    WHERE account_id = $1 AND $2 = '' AND subject <> '' AND version <= $3
)
INSERT INTO session_versions (account_id, subject, version, raised_at)
VALUES ($1, $2, $3, $4)
ON CONFLICT (account_id, subject) DO UPDATE SET version = excluded.version, raised_at = excluded.raised_at
