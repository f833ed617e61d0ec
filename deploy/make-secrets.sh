#!/usr/bin/env bash
# Makes what an installation keeps to itself: passwords, an authority of its own with certificates for Redis, Postgres and the gateway, and
# the settings of every program with those in them. What is there already is kept, so that it can be run again after a value was changed.
#
#   deploy/make-secrets.sh DIRECTORY [NAME=VALUE]...
#
# Values are named as the settings name them between @; `deploy/make-secrets.sh DIRECTORY public-url=https://pay.example.com upstream-url=http://chat:7070`.
# Without them the files fit compose.yaml and the Kubernetes manifests. Passwords and keys can be given the same way.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
into=${1:?where to: deploy/make-secrets.sh DIRECTORY [NAME=VALUE]...}
shift
mkdir -p "$into"
cd "$into"
# The directory keeps others out; its files are read by programs that run as somebody else, each of which is shown its own.
chmod 700 .
umask 022

declare -A value=(
  [ca-file]=/run/secrets/ca.pem
  [redis-host]=redis [redis-port]=6379
  [postgres-host]=postgres [postgres-port]=5432
  [ledger-sync-url]=http://ledger-sync:9101
  [console-url]=http://console:8091
  [upstream-url]=http://upstream:7070
  [public-url]=https://pay.example.com
  [session-issuer]=https://id.example.com
  [stripe-mode]=test [stripe-api-url]=https://api.stripe.com [stripe-api-key]='' [stripe-webhook-secret]=''
  [smtp-host]=mail.example.com [smtp-user]=tollgate
  [mail-from]='Tollgate <billing@example.com>'
)
secrets=(redis-gateway redis-ledger-sync redis-console redis-tollgate redis-admin
  postgres-owner postgres-ledger-sync postgres-webhook postgres-console postgres-notices postgres-operator postgres-backup postgres-superuser
  journal-secret mail-webhook-secret smtp-password grafana-admin)

# What was made before is in `values`, a line each.
if [[ -f values ]]; then
  while IFS='=' read -r name kept; do value[$name]=$kept; done <values
fi
for given in "$@"; do value[${given%%=*}]=${given#*=}; done
for name in "${secrets[@]}"; do
  [[ -n ${value[$name]:-} ]] || value[$name]=$(openssl rand -hex 32)
done
# Stripe shows its own; until then nothing that comes is believed.
[[ -n ${value[stripe-webhook-secret]} ]] || value[stripe-webhook-secret]=whsec_$(openssl rand -hex 32)
[[ ${value[mail-webhook-secret]} == whsec_* ]] || value[mail-webhook-secret]=whsec_${value[mail-webhook-secret]}
(umask 077 && for name in "${!value[@]}"; do printf '%s=%s\n' "$name" "${value[$name]}"; done | sort >values)

# An authority that vouches for nothing but these servers.
if [[ ! -f ca.pem ]]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 3650 -subj '/CN=Tollgate installation' \
    -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign,cRLSign' \
    -keyout ca.key -out ca.pem 2>/dev/null
  chmod 600 ca.key
fi
certificate() { # file, name of the server
  [[ ! -f $1.pem ]] || return 0
  local names="DNS:$2,DNS:localhost,IP:127.0.0.1"
  [[ ! $2 =~ ^[0-9.]+$ ]] || names="IP:$2,DNS:localhost,IP:127.0.0.1"
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj "/CN=$2" -keyout "$1.key" -out "$1.csr" 2>/dev/null
  openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -days 825 -out "$1.pem" 2>/dev/null \
    -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\nbasicConstraints=critical,CA:FALSE\n' "$names")
  rm "$1.csr"
}
certificate redis "${value[redis-host]}"
certificate postgres "${value[postgres-host]}"
# Callers see this one: in production its place takes one of a public authority.
public=${value[public-url]#*://}
certificate gateway "${public%%[:/]*}"

# Whose sessions are believed. Put the keys of the identity provider here; until then it is a pair whose private half nobody has.
if [[ ! -f jwks.json ]]; then
  public_key=$(openssl genpkey -algorithm ed25519 | openssl pkey -pubout -outform DER | tail -c 32 | base64 -w0 | tr '+/' '-_' | tr -d '=')
  printf '{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","use":"sig","kid":"nobody","x":"%s"}]}\n' "$public_key" >jwks.json
fi

filled() { # template, file
  local text name
  text=$(<"$1")
  for name in "${!value[@]}"; do text=${text//"@$name@"/${value[$name]}}; done
  if [[ $text =~ @[a-z-]+@ ]]; then
    echo "nobody has given a value for ${BASH_REMATCH[0]} of $1" >&2
    exit 1
  fi
  printf '%s\n' "$text" >"$2"
}
for template in "$here"/settings/*.toml; do filled "$template" "$(basename "$template")"; done
for user in gateway ledger-sync console tollgate admin; do value[$user]=${value[redis-$user]}; done
filled "$here/redis/users.acl" users.acl
printf '%s' "${value[smtp-password]}" >smtp-password
printf '%s' "${value[postgres-superuser]}" >postgres-superuser
printf '%s' "${value[grafana-admin]}" >grafana-admin
printf 'postgres://tollgate_owner:%s@%s:%s/tollgate?sslmode=verify-full&sslrootcert=%s' \
  "${value[postgres-owner]}" "${value[postgres-host]}" "${value[postgres-port]}" "${value[ca-file]}" >owner-url
printf 'postgres://tollgate_backup:%s@%s:%s/tollgate?sslmode=verify-full&sslrootcert=%s' \
  "${value[postgres-backup]}" "${value[postgres-host]}" "${value[postgres-port]}" "${value[ca-file]}" >backup-url
# What Postgres keeps of the roles' passwords (SCRAM, RFC 5802), for psql after roles.sql: nobody can sign in with it. Many rounds would keep a password
# of somebody's choice from being guessed; these are 32 bytes of chance, and each connection is spared the rounds.
to_hex() { od -An -v -tx1 | tr -d ' \n'; }
hmac() { printf '%s' "$2" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$1" -binary | to_hex; }
from_hex() { printf "$(sed 's/../\\x&/g' <<<"$1")"; }
for role in owner ledger-sync webhook console notices operator backup; do
  salt=$(openssl rand -hex 16)
  salted=$(openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt "pass:${value[postgres-$role]}" -kdfopt "hexsalt:$salt" -kdfopt iter:1 \
    -kdfopt pkcs5:1 -binary PBKDF2 | to_hex)
  stored=$(from_hex "$(hmac "$salted" 'Client Key')" | openssl dgst -sha256 -binary | base64)
  served=$(from_hex "$(hmac "$salted" 'Server Key')" | base64)
  printf "ALTER ROLE tollgate_%s PASSWORD 'SCRAM-SHA-256\$1:%s\$%s:%s';\n" "${role//-/_}" "$(from_hex "$salt" | base64)" "$stored" "$served"
done >passwords.sql
echo "made in $into: settings, certificates and passwords; keep ca.key and values where no program reads them"
