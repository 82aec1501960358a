#!/usr/bin/env bash
# How fast a file of capture messages loads, in how much memory, and how fast a question over it is answered: whole processes.
#
#   benches/load-and-ask.sh oss-contributions.jsonl.gz [runs]
#   benches/load-and-ask.sh data/10m/events_typed.parquet 1     # any other file: generated events, say
set -euo pipefail
events=${1:?a file of capture messages}
runs=${2:-3}
quintet=${QUINTET:-${CARGO_TARGET_DIR:-target}/release/quintet}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

timed() { # timed WHAT COMMAND…: seconds and peak memory of a command
  /usr/bin/env python3 - "$@" <<'PY'
import os, resource, subprocess, sys, time
start = time.perf_counter()
out = subprocess.run(sys.argv[2:], check=True, capture_output=True, text=True)
seconds = time.perf_counter() - start
memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
read = [word for line in out.stderr.splitlines() if line.startswith("events:") for word in line.split()]
rate = f", {int(read[1].replace(',', '')) / seconds:,.0f} events/s" if read else ""
print(f"{sys.argv[1]}: {seconds:.3f} s, {memory:.0f} MB{rate}")
PY
}

for run in $(seq "$runs"); do
  rm -rf "$folder/store"
  "$quintet" init "$folder/store" --group-type repository --group-type company --group-type component --group-type organization 2>/dev/null
  timed "load $run" "$quintet" ingest "$folder/store" "$events"
done
cat >"$folder/insight.json" <<'JSON'
{"kind": "TrendsQuery", "interval": "month", "dateRange": {"date_from": "2014-01-01", "date_to": "2026-07-31"},
 "series": [{"kind": "EventsNode", "event": "pull_request_merged", "math": "unique_group", "math_group_type_index": 1}]}
JSON
for run in $(seq "$runs"); do
  timed "unique companies that merged pull requests, by month $run" "$quintet" query "$folder/store" "$folder/insight.json" --format json
done
