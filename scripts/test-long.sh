#!/usr/bin/env bash
# What takes too long for every change: long tests, and each fuzz target for a minute.
set -euo pipefail
cd "$(dirname "$0")/.."

echo "── long tests"
SCAIGRID_TEST_LONG=1 scripts/with-postgres.sh go test -race -timeout 60m ./...

for package in $(go list ./...); do
  for target in $(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
    echo "── $target of $package"
    go test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-60s}" "$package"
  done
done
