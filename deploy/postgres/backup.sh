#!/usr/bin/env bash
# Copies the book, as it is at one instant, into one file; nobody waits for it. Runs as tollgate_backup, whose URL is in the file BACKUP_URL_FILE:
#   BACKUP_URL_FILE=/etc/tollgate/backup-url deploy/postgres/backup.sh /var/backups/tollgate [DAYS TO KEEP]
# A copy an hour and the archived log of changes between them put the book back to any minute; see deploy/README.md.
set -euo pipefail

into=${1:?where to: backup.sh DIRECTORY [DAYS]}
days=${2:-14}
url=$(<"${BACKUP_URL_FILE:?names the file that holds the URL of the book}")
name=tollgate-$(date --utc +%Y%m%dT%H%M%SZ).dump

umask 077
mkdir -p "$into"
# Whole or not at all: what is called .dump has been read back to its end.
trap 'rm -f "$into/$name.part"' EXIT
"${PG_BIN:+$PG_BIN/}pg_dump" --format=custom --no-owner --no-privileges --lock-wait-timeout=30000 --file="$into/$name.part" "$url"
"${PG_BIN:+$PG_BIN/}pg_restore" --list "$into/$name.part" >/dev/null
sync "$into/$name.part"
mv "$into/$name.part" "$into/$name"
find "$into" -name 'tollgate-*.dump' -mtime "+$days" -delete
echo "$into/$name"
