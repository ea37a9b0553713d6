#!/usr/bin/env bash
# What is wrong in Go (tools/lint, rings, forbidden calls) and in the web sources.
set -euo pipefail
cd "$(dirname "$0")/.."
.tools/lint ./...
(cd tools && ../.tools/lint ./...)
go test ./internal/houserules
if [ "${1:-}" != --go ]; then
  (cd web && npm run --silent check)
fi
