#!/usr/bin/env bash
# bench.sh SPANS: the ingest benchmark of docs/benchmarks.md, both loads, on a
# fresh data folder each.
. "$(dirname "$0")/lib.sh"
for load in small large; do
  start_server serve --dev
  "$reeve" bench ingest --spans "$1" --load "$load" --target "$base" --pid "$pid" --data "$work/data"
  stop_server
  rm -rf "$work/data"
done
