#!/usr/bin/env bash
# bench.sh SPANS: the ingest benchmark of docs/benchmarks.md, both loads, on a
# fresh data folder each.
. "$(dirname "$0")/lib.sh"
for bytes in 1600 16000; do
  start_server serve --dev
  "$reeve" bench ingest --spans "$1" --span-bytes "$bytes" --endpoint "$base" --api "$base" --pid "$pid" --data "$work/data"
  stop_server
  rm -rf "$work/data"
done
