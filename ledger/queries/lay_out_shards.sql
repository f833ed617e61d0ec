-- One row for each shard of accounts and of keys.
INSERT INTO shards (kind, number)
SELECT kind, number
FROM unnest(ARRAY['accounts', 'keys']) AS kinds (kind),
     generate_series(0, $1::smallint - 1) AS numbers (number)
ON CONFLICT DO NOTHING
