#!/usr/bin/env bash
# make test: everything that must hold, cheapest first, each step with its time.
set -euo pipefail
cd "$(dirname "$0")/.."

began=$SECONDS
step() { # step NAME COMMAND…
  local name=$1 at=$SECONDS
  shift
  echo "── $name"
  if ! "$@"; then
    echo "── $name FAILED after $((SECONDS - at)) s" >&2
    node scripts/tally.mjs || true
    exit 1
  fi
  echo "── $name: $((SECONDS - at)) s"
}

rm -rf .build
mkdir -p .build
step "toolchain" scripts/toolchain.sh gcc # for the race detector
step "Debian packages" scripts/packages.sh
step "web files" make --no-print-directory web
step "Go tools" scripts/tools.sh
step "format" scripts/format.sh
step "lint" scripts/lint.sh --go
step "TypeScript" scripts/test-web.sh
step "Go tests" scripts/test-go.sh
step "build" make --no-print-directory build
step "browser tests" scripts/test-browser.sh

echo "── all of it: $((SECONDS - began)) s"
node scripts/tally.mjs
