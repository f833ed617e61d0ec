#!/usr/bin/env bash
# A three-node installation on one machine, as deploy/README.md tells it, from the files of this directory: Redis and Postgres by TLS, a role for
# each program, three gateways and three ledger-syncs that share the shards. Callers are served by each node, one node dies, a gateway is replaced while
# it serves, the book is backed up, lost and restored, and at each step the book and live state are held against each other.
#
#   cargo build --workspace && deploy/walkthrough.sh [DIRECTORY OF THE PROGRAMS]
#
# Everything listens on loopback and is stopped and removed at the end; KEEP=1 leaves data and logs.
set -euo pipefail

deploy=$(cd "$(dirname "$0")" && pwd)
programs=$(cd "${1:-$deploy/../target/debug}" && pwd)
redis_server=${REDIS_SERVER:-redis-server}
export PG_BIN=${PG_BIN:-$(dirname "$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort -V | tail -1 || command -v initdb)")}
# Everybody may pass through, so that the user postgres can come to its own.
work=$(mktemp -d -t tollgate-walkthrough-XXXXXX)
chmod 755 "$work"
secrets=$work/secrets
mkdir "$secrets" "$work/logs"
declare -A pid port

say() { printf '==> %s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
within() { # seconds, what is waited for, command
  local until=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < until)) || fail "waited in vain: $what"
    sleep 0.1
  done
}

finish() {
  local code=$?
  trap - EXIT INT TERM
  for name in "${!pid[@]}"; do kill -KILL "${pid[$name]}" 2>/dev/null || true; done
  wait 2>/dev/null || true
  if ((code)); then
    for log in "$work"/logs/*; do printf -- '--- %s ends with\n' "$log" && tail -n 5 "$log"; done >&2
  fi
  [[ -n ${KEEP:-} ]] || rm -rf "$work"
  exit "$code"
}
trap finish EXIT INT TERM

# Below those that the system gives to connections, so that a port stays free while who has it is restarted.
next_port=$((20000 + RANDOM % 10000))
for name in redis postgres upstream stripe stripe_hook mailbox smtp \
  gateway{1,2,3} gateway{1,2,3}_tls gateway{1,2,3}_admin sync{1,2,3}_admin \
  webhook{1,2} webhook{1,2}_admin console{1,2} console{1,2}_admin notices{1,2}_admin; do
  while (: <"/dev/tcp/127.0.0.1/$next_port") 2>/dev/null; do ((next_port += 1)); done
  port[$name]=$((next_port++))
done

# Starts a program in the background, its output in a log; NAME=VALUE in front are settings of this one alone.
run() { # name, [NAME=VALUE]..., command
  local name=$1
  shift
  (cd "$work" && exec env "$@") >>"$work/logs/$name" 2>&1 </dev/null &
  pid[$name]=$!
}
ready() { curl --silent --fail --max-time 2 "http://127.0.0.1:${port[$1]}/readyz"; }
end() { # name, signal
  kill "-$2" "${pid[$1]}" && wait "${pid[$1]}" 2>/dev/null || true
  unset "pid[$1]"
}
# The program that Postgres refuses to be run as root for; libpq's programs run as anybody.
as_postgres() { if ((EUID == 0)); then runuser -u postgres -- "$@"; else "$@"; fi; }
superuser() {
  PGPASSWORD=$(<"$secrets/postgres-superuser") PGSSLMODE=verify-full PGSSLROOTCERT=$secrets/ca.pem PGHOST=127.0.0.1 PGPORT=${port[postgres]} \
    PGUSER=postgres "$@"
}
sql() { superuser "$PG_BIN/psql" --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 "$@"; }
tollgate() { "$programs/tollgate" --config "$secrets/tollgate.toml" --json --actor walkthrough "$@"; }
redis() {
  REDISCLI_AUTH=$(sed -n 's/^redis-admin=//p' "$secrets/values") redis-cli --tls --cacert "$secrets/ca.pem" -h 127.0.0.1 -p "${port[redis]}" --user admin "$@"
}
field() { grep -oE "\"$1\": *(\"[^\"]*\"|[^,}]*)" | sed -n '1{s/^[^:]*: *//;s/"//g;p}'; }
base64url() { base64 -w0 | tr '+/' '-_' | tr -d '='; }

# Calls a gateway by TLS, as its callers do; the status is what it answers.
call() { # node, path, [curl's options]...
  local node=$1 path=$2
  shift 2
  curl --silent --max-time 10 --cacert "$secrets/ca.pem" --output "$work/answer" --write-out '%{http_code}' \
    --header "Authorization: Bearer $key" "$@" "https://127.0.0.1:${port[gateway${node}_tls]}$path"
}
served() { [[ $(call "$1" /v1/messages --json '{"messages":[]}') == 200 ]]; }
serve() { # node, how many
  for ((call_number = 0; call_number < $2; call_number++)); do
    served "$1" || fail "node $1 did not serve a call: $(<"$work/answer")"
    ((paid += 1))
  done
}
# What is left of the credits; what is left of the budget, wherever it stands in the answer, is something else.
remaining() { call "$1" /v1/credits >/dev/null && sed 's/"budget": *{[^}]*}//' "$work/answer" | field remaining; }
agrees() { # the book with itself, with live state, and with what callers were told
  tollgate verify >"$work/verified" || fail "tollgate verify: $(<"$work/verified")"
  [[ $(field drift <"$work/verified") == 0 ]] || fail "drift: $(<"$work/verified")"
  tollgate audit >"$work/audited" || fail "tollgate audit: $(<"$work/audited")"
  local drawn
  drawn=$(sql --dbname tollgate --command "SELECT -sum(credits) FROM entries WHERE kind NOT IN ('grant', 'expire', 'claw_back')")
  [[ $drawn == "$paid" ]] || fail "$paid calls of a credit each were served, and the book has drawn $drawn"
  say "the book and live state agree: drift 0, $paid calls served, $drawn credits drawn"
}
paid=0

start_postgres() {
  # The settings of this directory; behind them what is another one on this machine. What a process has written outlives it, so nothing waits for the disk.
  local as=()
  ((EUID != 0)) || as=(setpriv --reuid postgres --regid postgres --init-groups)
  run postgres "${as[@]}" "$PG_BIN/postgres" -D "$work/postgres/data" \
    -c "config_file=$work/postgres/postgresql.conf" -c "hba_file=$work/postgres/pg_hba.conf" -c "data_directory=$work/postgres/data" \
    -c listen_addresses=127.0.0.1 -p "${port[postgres]}" -c unix_socket_directories= \
    -c "ssl_cert_file=$work/postgres/server.pem" -c "ssl_key_file=$work/postgres/server.key" \
    -c shared_buffers=64MB -c effective_cache_size=256MB -c max_wal_size=256MB -c archive_mode=off -c fsync=off
  within 90 "Postgres answers" sql --dbname postgres --command 'SELECT 1'
}
start_redis() {
  run redis "$redis_server" "$deploy/redis/redis.conf" --bind 127.0.0.1 --tls-port "${port[redis]}" --dir "$work/redis" --aclfile "$secrets/users.acl" \
    --tls-cert-file "$secrets/redis.pem" --tls-key-file "$secrets/redis.key" --tls-ca-cert-file "$secrets/ca.pem"
  within 90 "Redis answers" redis PING
}
start_gateway() { # node, name of the process, [option]
  # Unoptimised programs on a busy machine get more time for one answer of Redis.
  run "$2" TOLLGATE_GATEWAY_METER__WAIT_MS_MAX=5000 TOLLGATE_GATEWAY_METER__OP_LIFETIME_MS=10000 TOLLGATE_GATEWAY_LISTEN="127.0.0.1:${port[gateway$1]}" TOLLGATE_GATEWAY_TLS__LISTEN="127.0.0.1:${port[gateway$1_tls]}" \
    TOLLGATE_GATEWAY_ADMIN_LISTEN="127.0.0.1:${port[gateway$1_admin]}" TOLLGATE_GATEWAY_UPGRADE__SOCKET="$work/node$1/gateway.sock" \
    TOLLGATE_GATEWAY_JOURNAL__DIRECTORY="$work/node$1/journal" \
    TOLLGATE_GATEWAY_JOURNAL__POST_TO="[\"http://127.0.0.1:${port[sync1_admin]}/journal\",\"http://127.0.0.1:${port[sync2_admin]}/journal\"]" \
    "$programs/gateway" --config "$secrets/gateway.toml" ${3:-}
}
start_part() { # part, node
  case $1 in
    gateway) start_gateway "$2" "gateway$2" ;;
    sync) run "sync$2" TOLLGATE_LEDGER_SYNC_ADMIN_LISTEN="127.0.0.1:${port[sync$2_admin]}" TOLLGATE_LEDGER_SYNC_SHARDS__COUNT=4 \
      TOLLGATE_LEDGER_SYNC_LEASE__DURATION_MS=10000 \
      "$programs/ledger-sync" --config "$secrets/ledger-sync.toml" ;;
    webhook) run "webhook$2" TOLLGATE_WEBHOOK_LISTEN="127.0.0.1:${port[webhook$2]}" TOLLGATE_WEBHOOK_ADMIN_LISTEN="127.0.0.1:${port[webhook$2_admin]}" \
      "$programs/webhook" --config "$secrets/webhook.toml" ;;
    console) run "console$2" TOLLGATE_CONSOLE_LISTEN="127.0.0.1:${port[console$2]}" TOLLGATE_CONSOLE_ADMIN_LISTEN="127.0.0.1:${port[console$2_admin]}" \
      "$programs/console" --config "$secrets/console.toml" ;;
    notices) run "notices$2" TOLLGATE_NOTICES_ADMIN_LISTEN="127.0.0.1:${port[notices$2_admin]}" TOLLGATE_NOTICES_SMTP__PORT="${port[smtp]}" \
      TOLLGATE_NOTICES_SMTP__CA_FILE="$secrets/ca.pem" "$programs/notices" --config "$secrets/notices.toml" ;;
  esac
}
# On nodes 1 and 2 all of it runs, node 3 is for callers alone.
parts_of() { if (($1 < 3)); then echo sync gateway webhook console notices; else echo sync gateway; fi; }
start_node() {
  mkdir -p "$work/node$1"
  for part in $(parts_of "$1"); do start_part "$part" "$1"; done
}
# As a supervisor does: what has ended is started again.
up() { # part, node
  kill -0 "${pid[$1$2]}" || start_part "$1" "$2"
  ready "$1$2_admin"
}
node_ready() { for part in $(parts_of "$1"); do within 90 "$part of node $1 is ready" up "$part" "$1"; done; }
running_on() { # node
  for name in "sync$1" "gateway$1" "webhook$1" "console$1" "notices$1"; do [[ -z ${pid[$name]:-} ]] || echo "$name"; done
}

say "passwords, certificates, and the settings of each program with them"
openssl genpkey -algorithm ed25519 -out "$work/identity.key"
printf '{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","kid":"walk","x":"%s"}]}\n' \
  "$(openssl pkey -in "$work/identity.key" -pubout -outform DER | tail -c 32 | base64url)" >"$secrets/jwks.json"
local_host=127.0.0.1
"$deploy/make-secrets.sh" "$secrets" ca-file="$secrets/ca.pem" redis-host=$local_host redis-port="${port[redis]}" \
  postgres-host=$local_host postgres-port="${port[postgres]}" upstream-url="http://127.0.0.1:${port[upstream]}" \
  console-url="http://127.0.0.1:${port[console2]}" ledger-sync-url="http://127.0.0.1:${port[sync1_admin]}" \
  public-url="http://127.0.0.1:${port[gateway2]}" stripe-api-url="http://127.0.0.1:${port[stripe]}" stripe-api-key=sk_test_walkthrough \
  smtp-host=$local_host >/dev/null
chmod 755 "$secrets" # the user postgres reads the authority

say "Postgres by TLS, with a role for each program"
mkdir "$work/postgres"
cp "$deploy"/postgres/{postgresql,pg_hba}.conf "$work/postgres/"
cp "$secrets/postgres.pem" "$work/postgres/server.pem"
cp "$secrets/postgres.key" "$work/postgres/server.key"
cp "$secrets/postgres-superuser" "$work/postgres/password"
chmod 600 "$work/postgres/server.key" "$work/postgres/password"
((EUID != 0)) || chown -R postgres "$work/postgres"
(cd / && as_postgres "$PG_BIN/initdb" -D "$work/postgres/data" --username=postgres --pwfile="$work/postgres/password" \
  --auth=scram-sha-256 --encoding=UTF8 --no-locale --no-sync) >"$work/logs/initdb" 2>&1
start_postgres
sql --dbname postgres --file "$deploy/postgres/roles.sql" --file "$secrets/passwords.sql" --file "$deploy/postgres/database.sql"
say "the schema, by its owner, and what each role may do"
"$programs/tollgate" --config "$secrets/migrate.toml" migrate --shards 4
"$PG_BIN/psql" "$(<"$secrets/owner-url")" --no-psqlrc --quiet --set ON_ERROR_STOP=1 --file "$deploy/postgres/grants.sql"

say "Redis by TLS, with a user for each program"
mkdir "$work/redis"
start_redis

say "the world around: an upstream, Stripe, a mail server"
run upstream "$programs/pretend-upstream" --listen "127.0.0.1:${port[upstream]}"
run stripe "$programs/pretend-stripe" --listen "127.0.0.1:${port[stripe]}" --api-key sk_test_walkthrough \
  --webhook "http://127.0.0.1:${port[webhook2]}/webhooks/stripe" --webhook-secret "$(sed -n 's/^stripe-webhook-secret=//p' "$secrets/values")"
run mailbox "$programs/pretend-mailbox" --smtp "127.0.0.1:${port[smtp]}" --listen "127.0.0.1:${port[mailbox]}" \
  --certificate "$secrets/redis.pem" --key "$secrets/redis.key" --user "tollgate:$(<"$secrets/smtp-password")"

say "three nodes"
for node in 1 2 3; do start_node $node; done
for node in 1 2 3; do node_ready $node; done

say "an account with a key, which each node serves"
account=$(tollgate account create --name Walkthrough --status approved --email ada@example.com | field account)
tollgate lot grant --account "$account" --credits 1000 --expires-in 30d --product walkthrough >/dev/null
tollgate budget set --account "$account" --limit 100000 >/dev/null
key=$(tollgate key issue --account "$account" --name walk --mode test | field key)
for node in 1 2 3; do
  within 90 "node $node serves" served $node
  ((paid += 1))
  serve $node 10
done
agrees

say "a purchase: Stripe's signed delivery brings the credits"
curl --silent --show-error --fail --max-time 5 "http://127.0.0.1:${port[stripe]}/_pretend/prices" --output "$work/answer" --json \
  '{"product":"prod_tollgate_pack","name":"Credit pack","price":"price_tollgate_pack","amount":2500,"currency":"usd"}'
tollgate plans sync >/dev/null || true # the other plans have no price here
checkout=$(tollgate checkout create --account "$account" --plan pack | field session)
before=$(remaining 2)
curl --silent --show-error --fail --max-time 5 --request POST "http://127.0.0.1:${port[stripe]}/_pretend/sessions/$checkout/pay" --output "$work/answer"
richer() { (($(remaining 2) == before + 2500)); }
within 90 "the pack's credits are there" richer

say "a mail, once little is left"
saved_key=$key
small=$(tollgate account create --name Small --status approved --email grace@example.com | field account)
tollgate lot grant --account "$small" --credits 5 --expires-in 30d --product walkthrough >/dev/null
key=$(tollgate key issue --account "$small" --name walk --mode test | field key)
within 90 "node 1 knows the new key" served 1
((paid += 1))
serve 3 3
mailed() { curl --silent --fail --max-time 5 "http://127.0.0.1:${port[mailbox]}/_mails" | grep -q grace@example.com; }
within 90 "a mail to grace@example.com" mailed
key=$saved_key

say "a browser's session opens the Billing screen, by the gateway"
now=$(date +%s)
claims=$(printf '{"iss":"https://id.example.com","aud":"tollgate","iat":%d,"exp":%d,"sub":"ada@example.com","account":"%s","roles":["billing_owner"]}' \
  $((now - 60)) $((now + 3600)) "$account")
printf '%s.%s' "$(printf '{"alg":"EdDSA","typ":"JWT","kid":"walk"}' | base64url)" "$(printf '%s' "$claims" | base64url)" >"$work/unsigned"
session=$(<"$work/unsigned").$(openssl pkeyutl -sign -rawin -inkey "$work/identity.key" -in "$work/unsigned" | base64url)
page=$(curl --silent --max-time 10 --cacert "$secrets/ca.pem" --output "$work/answer" --write-out '%{http_code}' \
  --cookie "__Host-tollgate-session=$session" "https://127.0.0.1:${port[gateway3_tls]}/billing")
[[ $page == 200 ]] && grep -q "Credit pack" "$work/answer" || fail "the Billing screen answered $page: $(head -c 300 "$work/answer")"

say "node 1 dies; the others go on, and its shards have new owners within seconds"
for name in $(running_on 1); do end "$name" KILL; done
for node in 2 3; do serve $node 20; done
for node in 2 3; do node_ready $node; done
agrees

say "node 1 comes back"
start_node 1
node_ready 1
serve 1 10

say "a new gateway takes the place of the one on node 3, and no call is lost"
pid[before]=${pid[gateway3]}
start_gateway 3 gateway3 --upgrade
while kill -0 "${pid[before]}" 2>/dev/null; do serve 3 1; done
wait "${pid[before]}" || fail "the gateway before did not end well"
unset "pid[before]"
serve 3 10
agrees

say "a backup, as the role that only reads"
copy=$(BACKUP_URL_FILE=$secrets/backup-url "$deploy/postgres/backup.sh" "$work/backups")

say "the book and live state are lost; the copy is put back, and live state is built anew from it"
for node in 1 2 3; do for name in $(running_on $node); do [[ $name == gateway* ]] || end "$name" KILL; done; done
end redis KILL
rm -rf "$work/redis" && mkdir "$work/redis"
start_redis
sql --dbname postgres --command 'ALTER DATABASE tollgate RENAME TO tollgate_before'
superuser "$deploy/postgres/restore.sh" "$copy"
for node in 1 2; do start_part sync $node; done
for node in 1 2; do within 90 "ledger-sync of node $node is ready" up sync $node; done
for node in 1 2 3; do
  # Callers are told to come again until the account is there.
  within 90 "node $node serves again" served $node
  ((paid += 1))
  serve $node 5
done
agrees
say "done: $paid calls, none lost, none drawn twice"
