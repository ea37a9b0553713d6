#!/usr/bin/env bash
# Browser tests: the widget by itself, then the whole (server, sample site, widget) in Chromium.
set -euo pipefail
cd "$(dirname "$0")/../web"
mkdir -p ../.build
npm run --silent test:browser 2>&1 | tee ../.build/browser-tests.log
npm run --silent --if-present e2e 2>&1 | tee ../.build/e2e-tests.log
