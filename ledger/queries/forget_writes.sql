-- Some of the writes from before $1: each new one takes a few old ones along.
DELETE FROM console_writes
WHERE (who, key) IN (SELECT who, key FROM console_writes WHERE began_at < $1 ORDER BY began_at LIMIT 50 FOR UPDATE SKIP LOCKED)
