-- The names as numbers; 7205 tells them from other uses of such locks. Two names of one number only wait more often.
SELECT pg_advisory_xact_lock(number)
FROM (SELECT DISTINCT hashtextextended(name, 7205) AS number FROM unnest($1::text[]) AS name ORDER BY number) AS numbers
