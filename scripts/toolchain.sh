#!/usr/bin/env bash
# toolchain.sh [PROGRAM…]: says what is missing of the tools that must be there before anything else, and of those named.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=0
need() { # need PROGRAM WHAT-FOR
  command -v "$1" >/dev/null || { echo "missing: $1 ($2)" >&2; missing=1; }
}
need go "https://go.dev/doc/install, version $(awk '$1 == "go" { print $2 }' go.mod) or newer"
need node "version 20.19 or newer"
need npm "comes with node"
need git "apt-get install git"
for program in "$@"; do need "$program" "apt-get install $program"; done
[ "$missing" = 0 ] || exit 1

node -e '
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    console.error(`node ${process.versions.node} is too old: 20.19 or newer is needed`);
    process.exit(1);
  }'
