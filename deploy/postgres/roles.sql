-- Who may connect to the book, one role for each program: run once by a superuser, on any database of the server. Running it again
-- changes nothing. The gateway has none, because it never reaches the book. Passwords are no part of this file:
--   \password tollgate_console
-- What each role may do stands in grants.sql.

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY[
        'tollgate_owner',       -- owns the schema; only `tollgate migrate` runs as it
        'tollgate_ledger_sync',
        'tollgate_webhook',
        'tollgate_console',
        'tollgate_notices',
        'tollgate_operator',    -- all of `tollgate` but migrate
        'tollgate_backup'       -- reads everything, for pg_dump
    ] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I LOGIN', wanted);
        EXCEPTION
            -- The second where two run this at the same time.
            WHEN duplicate_object OR unique_violation THEN NULL;
        END;
    END LOOP;
END
$$;

-- Partitions that are made later, too.
GRANT pg_read_all_data TO tollgate_backup;
