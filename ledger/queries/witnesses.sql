-- Runs of gateways that were there at an instant, and whether they have posted all of their journal up to some time after it: a debit
-- whose answer was on its way is written down a little later. A run that was silent for a week before has nothing to say about it.
SELECT run, name, whole_until, ended, coalesce(ended OR whole_until >= $1 + interval '10 seconds', false) AS has_posted
FROM journal_runs
WHERE started_at <= $1 + interval '10 seconds'
  AND posted_at >= $1 - interval '7 days'
  AND NOT (ended AND whole_until < $1 - interval '1 hour')
ORDER BY started_at, run
