#!/usr/bin/env bash
# Types, lint, format and size of the web sources, then their unit tests.
set -euo pipefail
cd "$(dirname "$0")/../web"
mkdir -p ../.build
npm run --silent check
npm test --silent 2>&1 | tee ../.build/web-tests.log
