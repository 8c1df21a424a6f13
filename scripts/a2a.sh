#!/usr/bin/env bash
# a2a.sh FOLDER: the official A2A client of FOLDER, as it is, through the door to
# a reference peer, over JSON-RPC and HTTP+JSON, with streaming; then clients of
# A2A 0.3 and 1.0 to peers of 0.3 and 1.0. FOLDER is copied; nothing is written
# to it.
[ $# -ge 1 ] || { echo "usage: a2a.sh FOLDER" >&2; exit 2; }
folder=$(cd "$1" && pwd)
. "$(dirname "$0")/lib.sh"
cp -r "$folder" "$work/a2a" && chmod -R u+w "$work/a2a"
cp "$root/scripts/a2a-peer.mjs" "$work/a2a/peer.mjs"
cp "$root/scripts/a2a-old.mjs" "$work/a2a/old.mjs"
(cd "$work/a2a" && { [ -d node_modules ] || npm ci --no-audit --no-fund >"$work/npm" 2>&1; }) || { cat "$work/npm" >&2; exit 1; }

(cd "$work/a2a" && exec node peer.mjs) >"$work/peer" 2>&1 &
peer=$!
(cd "$work/a2a" && OLD=1 exec node peer.mjs) >"$work/peer.old" 2>&1 &
peer_old=$!
trap 'kill "$peer" "$peer_old" 2>/dev/null || true; cleanup' EXIT
for _ in $(seq 100); do [ -s "$work/peer" ] && [ -s "$work/peer.old" ] && break; sleep 0.1; done
url=$(head -n 1 "$work/peer") url_old=$(head -n 1 "$work/peer.old")

start_server serve --dev
export REEVE_SERVER=$base
{
  "$reeve" upstream set refunds --kind a2a --url "$url" --team core --allow-private --shared --effect write
  echo '@id("peers") @reason("they hand work on") permit (principal, action == Action::"send_task", resource);' >"$work/peers.cedar"
  "$reeve" upstream set old --kind a2a --url "$url_old" --team core --allow-private --shared --effect write
  "$reeve" policy put peers --file "$work/peers.cedar" --mode enforce --reason "a client's test"
  # A peer's card waits for a person, who has looked at it.
  for name in refunds old; do
    for _ in $(seq 150); do "$reeve" tool show $name $name-card >/dev/null 2>&1 && break; sleep 0.1; done
    "$reeve" tool accept $name $name-card --effect write --reason "looked at"
  done
} >"$work/set" 2>&1 || { cat "$work/set" "$work/log" >&2; exit 1; }
if (cd "$work/a2a" && A2A_URL=$door/a2a/refunds/ node driver.mjs) >"$work/driver" 2>&1 \
  && [ "$(grep -c 'send .*TASK_STATE_COMPLETED\|send .*"id"' "$work/driver")" = 2 ] \
  && [ "$(grep -c 'stream task statusUpdate artifactUpdate statusUpdate' "$work/driver")" = 2 ]; then
  echo "a2a-js over JSON-RPC and HTTP+JSON: passed"
else
  cat "$work/driver" "$work/log" >&2
  echo "a2a-js: FAILED"
  exit 1
fi
if (cd "$work/a2a" && DOOR=$door node old.mjs) >"$work/driver" 2>&1 && [ "$(grep -c '^ok' "$work/driver")" = 4 ]; then
  echo "a2a-js of 0.3 and 1.0 to peers of 0.3 and 1.0: passed"
else
  cat "$work/driver" "$work/log" >&2
  echo "a2a-js of both versions: FAILED"
  exit 1
fi
