-- A part of a run's journal was never posted: nobody knows what it says.
INSERT INTO journal_gaps (run, file, position, from_at, to_at, records)
SELECT run, $2, $3, coalesce(whole_until, started_at), clock_timestamp(), 0 FROM journal_runs WHERE run = $1
ON CONFLICT (run, file, position, from_at) DO NOTHING
