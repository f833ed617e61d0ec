INSERT INTO journal_gaps (run, file, position, from_at, to_at, records)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (run, file, position, from_at) DO NOTHING
