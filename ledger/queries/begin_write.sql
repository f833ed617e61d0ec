-- A write is new where there is none under its key, or one from before $4.
INSERT INTO console_writes (who, key, fingerprint, began_at)
VALUES ($1, $2, $3, $5)
ON CONFLICT (who, key) DO UPDATE SET fingerprint = excluded.fingerprint, began_at = excluded.began_at, answer = NULL
    WHERE console_writes.began_at < $4
RETURNING true
