-- From here on, commits that name an older certification fail.
UPDATE shards
SET certification = $4, updated_at = clock_timestamp()
WHERE kind = $1 AND number = $2 AND epoch = $3 AND owner IS NOT NULL
