#!/usr/bin/env bash
# Installs the Debian packages that the tests need and that are not there yet.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
while read -r package when _; do
  case $package in '' | '#'*) continue ;; esac
  [ "$when" = always ] || [ -n "${CI:-}" ] || continue
  dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done <scripts/packages.txt
[ ${#missing[@]} -gt 0 ] || exit 0

echo "packages: missing ${missing[*]}"
if ! command -v apt-get >/dev/null; then
  echo "packages: this system has no apt-get; install the equivalents of scripts/packages.txt and try again" >&2
  exit 1
fi
root=()
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "packages: run as root: apt-get install --no-install-recommends ${missing[*]}" >&2; exit 1; }
  root=(sudo)
fi
echo "packages: installing them with apt-get"
"${root[@]}" apt-get update -qq
"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
