#!/usr/bin/env bash
# a2a.sh FOLDER: the official A2A client of FOLDER, as it is, through the door to
# a reference peer, over JSON-RPC and HTTP+JSON, with streaming. FOLDER is
# copied; nothing is written to it.
[ $# -ge 1 ] || { echo "usage: a2a.sh FOLDER" >&2; exit 2; }
folder=$(cd "$1" && pwd)
. "$(dirname "$0")/lib.sh"
cp -r "$folder" "$work/a2a" && chmod -R u+w "$work/a2a"
cp "$root/scripts/a2a-peer.mjs" "$work/a2a/peer.mjs"
(cd "$work/a2a" && { [ -d node_modules ] || npm ci --no-audit --no-fund >"$work/npm" 2>&1; }) || { cat "$work/npm" >&2; exit 1; }

(cd "$work/a2a" && exec node peer.mjs) >"$work/peer" 2>&1 &
peer=$!
trap 'kill "$peer" 2>/dev/null || true; cleanup' EXIT
for _ in $(seq 100); do [ -s "$work/peer" ] && break; sleep 0.1; done
url=$(head -n 1 "$work/peer")

start_server serve --dev
"$reeve" upstream set refunds --server "$base" --kind a2a --url "$url" --team core --allow-private --effect write >"$work/set" 2>&1 || { cat "$work/set" >&2; exit 1; }
if (cd "$work/a2a" && A2A_URL=$door/a2a/refunds/ node driver.mjs) >"$work/driver" 2>&1 \
  && [ "$(grep -c 'send .*TASK_STATE_COMPLETED\|send .*"id"' "$work/driver")" = 2 ] \
  && [ "$(grep -c 'stream task statusUpdate artifactUpdate statusUpdate' "$work/driver")" = 2 ]; then
  echo "a2a-js over JSON-RPC and HTTP+JSON: passed"
else
  cat "$work/driver" "$work/log" >&2
  echo "a2a-js: FAILED"
  exit 1
fi
