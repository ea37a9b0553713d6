#!/usr/bin/env bash
# Checks that Go is formatted, or formats Go and TypeScript with --write.
# (TypeScript is checked by `npm run check` in web/.)
set -euo pipefail
cd "$(dirname "$0")/.."

mapfile -t files < <(git ls-files --cached --others --exclude-standard -- '*.go')
if [ "${1:-}" = --write ]; then
  .tools/gofumpt -w "${files[@]}"
  (cd web && npm run --silent format)
  exit 0
fi
bad=$(.tools/gofumpt -l "${files[@]}")
[ -z "$bad" ] || { printf 'not formatted, run make fmt:\n%s\n' "$bad" >&2; exit 1; }
