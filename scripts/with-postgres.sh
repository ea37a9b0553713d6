#!/usr/bin/env bash
# with-postgres.sh COMMAND…: runs the command with a PostgreSQL of its own, in a
# folder of its own, on a free port of the loopback address; its URL is in
# SCAIGRID_TEST_POSTGRES. An address that is set already is used as it is.
set -euo pipefail

[ -z "${SCAIGRID_TEST_POSTGRES:-}" ] || exec "$@"

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
[ -n "$bin" ] || { echo "with-postgres: no PostgreSQL found; apt-get install postgresql-15" >&2; exit 1; }
folder=$(mktemp -d /tmp/scaigrid-postgres.XXXXXX)
port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')

as=()
if [ "$(id -u)" = 0 ]; then # PostgreSQL refuses to run as root
  chown postgres "$folder"
  as=(setpriv --reuid=postgres --regid=postgres --clear-groups env "HOME=$folder")
fi
stop() {
  "${as[@]}" "$bin/pg_ctl" -D "$folder/data" -m immediate -w stop >/dev/null 2>&1 || true
  rm -rf "$folder"
}
trap stop EXIT

cd "$folder"
"${as[@]}" "$bin/initdb" -D "$folder/data" -U scaigrid -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$folder/initdb.log" 2>&1 ||
  { cat "$folder/initdb.log" >&2; exit 1; }
# The data is thrown away, so it need not survive a power cut; what must survive one is tested by killing our own process.
"${as[@]}" "$bin/pg_ctl" -D "$folder/data" -l "$folder/log" -w -t 30 -o "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories=$folder -c fsync=off -c max_connections=300" start >/dev/null ||
  { cat "$folder/log" >&2; exit 1; }
cd "$OLDPWD"

export SCAIGRID_TEST_POSTGRES="postgres://scaigrid@127.0.0.1:$port/postgres?sslmode=disable"
"$@"
