#!/usr/bin/env bash
# All Go tests with the race detector, both databases.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p .build
scripts/with-postgres.sh .tools/gotestsum --format pkgname-and-test-fails --format-hide-empty-pkg \
  --jsonfile .build/go-tests.json -- -race -timeout 8m "$@" ./...
