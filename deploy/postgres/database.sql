-- The book's database, owned by who owns its schema; after roles.sql, once. `tollgate migrate` then makes the tables.
CREATE DATABASE tollgate OWNER tollgate_owner ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
REVOKE ALL ON DATABASE tollgate FROM PUBLIC;
GRANT CONNECT ON DATABASE tollgate
    TO tollgate_ledger_sync, tollgate_webhook, tollgate_console, tollgate_notices, tollgate_operator, tollgate_backup;
