-- One row when the fence still stands; locked, so that it stands until the commit.
SELECT 1
FROM shards
WHERE kind = $1 AND number = $2 AND epoch = $3 AND certification = $4 AND incarnation = $5 AND owner IS NOT NULL
FOR UPDATE
