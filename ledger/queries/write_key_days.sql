-- What keys drew by day, added to what is there. Keys that count as one have one row a day.
INSERT INTO key_days (key_id, day, account_id, drawn)
SELECT keys.rates_of, date '1970-01-01' + drawn.day::integer, drawn.account_id, sum(drawn.credits)
FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bigint[]) AS drawn (key_id, day, account_id, credits)
JOIN api_keys AS keys USING (key_id)
GROUP BY keys.rates_of, drawn.day, drawn.account_id
ON CONFLICT (key_id, day) DO UPDATE SET drawn = key_days.drawn + excluded.drawn
