#!/usr/bin/env bash
# Browser tests: every web/e2e/tests/*.mjs against a real demo server.
#   scripts/e2e.sh [part of a test name]
. "$(dirname "$0")/lib.sh"
# A week of history is enough to have something of everything.
start_server demo --days 7
for _ in $(seq 600); do
  curl -fsS "$base/api/v1/notices" 2>/dev/null | grep -q demo-people && break
  kill -0 "$pid" 2>/dev/null || { cat "$work/out" "$work/log" >&2; echo "the server ended while building its demo" >&2; exit 1; }
  sleep 0.1
done
cd "$root/web"
# told says what the server said last when it did not live through the tests.
told() { kill -0 "$pid" 2>/dev/null || { echo "the server ended:" >&2; tail -c 4000 "$work/out" "$work/log" >&2; }; }
node e2e/run.mjs "$base" "$@" || { told; exit 1; }

# Sign-in, second factors and second people: a server that asks who one is.
stop_server
rm -rf "$work/data"
start_server serve
REEVE_ADMIN_TOKEN=$(cat "$work/data/admin-token") E2E_TESTS=people node e2e/run.mjs "$base" "$@" || { told; exit 1; }
