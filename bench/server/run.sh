#!/usr/bin/env bash
# Measures this server beside the floors of the load harness in ../shared/bench/server,
# in one run: bench/server/run.sh [quick|full]. Everything stays on loopback and ends by itself.
# Tables are printed; rows go to $WORK/results.
set -euo pipefail
cd "$(dirname "$0")/../.."
harness=${HARNESS:-../shared/bench/server}
[ -f "$harness/run.sh" ] || { echo "bench: no load harness at $harness; set HARNESS to its folder" >&2; exit 1; }
make --no-print-directory build

export WORK=${WORK:-$(mktemp -d)}
mkdir -p "$WORK"
rm -rf "$WORK/harness" "$WORK/scaigrid-data"
cp -r "$harness" "$WORK/harness"
chmod -R u+w "$WORK/harness"
cp bench/server/scaigrid.json "$WORK/harness/adapters/scaigrid.json"

cat > "$WORK/scaigrid.yaml" <<YAML
limits: "off"
log_level: error
providers:
  - name: openai
    type: openai
    base_url: http://127.0.0.1:9100/v1
    api_key: sk-none
YAML
export SCAIGRID_BIN=$PWD/bin/scaigrid SCAIGRID_CONFIG=$WORK/scaigrid.yaml
SCAIGRID_KEY=$(bin/scaigrid key create --name bench --json --data-dir "$WORK/scaigrid-data" --config "$SCAIGRID_CONFIG" |
  node -pe 'JSON.parse(require("fs").readFileSync(0)).key')
SCAIGRID_BOT=$(bin/scaigrid bot create --name bench --model openai/fake-t1-d0-f0-s20 --json --data-dir "$WORK/scaigrid-data" --config "$SCAIGRID_CONFIG" |
  node -pe 'JSON.parse(require("fs").readFileSync(0)).id')
export SCAIGRID_KEY SCAIGRID_BOT
sed -i 's/^idle=floor-sse,floor-hijack$/idle=floor-sse,floor-hijack,scaigrid/' "$WORK/harness/run.sh"
bash "$WORK/harness/run.sh" "${1:-full}"
