#!/usr/bin/env bash
# Puts a copy of the book into a new database called `tollgate`: on a new server after roles.sql and the passwords, or on the old one once the
# damaged database has another name. Nothing of Tollgate but gateways may run meanwhile. Connects as a superuser by libpq's variables:
#   PGHOST=… PGUSER=postgres PGPASSWORD=… deploy/postgres/restore.sh /var/backups/tollgate/tollgate-20261126T080000Z.dump
set -euo pipefail

copy=${1:?which copy: restore.sh FILE}
here=$(cd "$(dirname "$0")" && pwd)
bin=${PG_BIN:+$PG_BIN/}

ask() { "${bin}psql" --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 "$@"; }

if [[ $(ask --dbname postgres --command "SELECT count(*) FROM pg_database WHERE datname = 'tollgate'") != 0 ]]; then
  echo "there is a database called tollgate; give it another name first:  ALTER DATABASE tollgate RENAME TO tollgate_before" >&2
  exit 1
fi
ask --dbname postgres --file "$here/database.sql"
# As the owner of the schema, so that all of it is his. In one transaction: half a book is none.
"${bin}pg_restore" --dbname tollgate --role=tollgate_owner --no-owner --no-privileges --single-transaction --exit-on-error "$copy"
ask --dbname tollgate --command 'SET ROLE tollgate_owner' --file "$here/grants.sql"
ask --dbname tollgate --command 'ANALYZE'
echo "the book is back; it ends $(ask --dbname tollgate --command 'SELECT max(recorded_at) FROM entries')"
