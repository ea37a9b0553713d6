#!/usr/bin/env bash
# Builds the pinned tools of tools/go.mod into .tools/. Go's cache makes a second run instant.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p .tools
go -C tools build -o ../.tools/ ./lint mvdan.cc/gofumpt gotest.tools/gotestsum
