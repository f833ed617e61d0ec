-- How far a run has posted; a batch that is posted again never takes it back.
UPDATE journal_runs
SET posted_at = clock_timestamp(),
    whole_until = greatest(whole_until, clock_timestamp() - $2::bigint * interval '1 millisecond'),
    ended = ended OR $3
WHERE run = $1
