-- A process lives until its heartbeat runs out; those long gone are forgotten.
WITH forgotten AS (
    DELETE FROM owners WHERE heartbeat_until < clock_timestamp() - interval '1 day' AND owner <> $1
)
INSERT INTO owners (owner, name, heartbeat_until)
VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3))
ON CONFLICT (owner) DO UPDATE SET name = excluded.name, heartbeat_until = excluded.heartbeat_until
