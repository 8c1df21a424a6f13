#!/usr/bin/env bash
# Browser tests: every web/e2e/*.test.mjs against a real demo server.
. "$(dirname "$0")/lib.sh"
start_server demo
cd "$root/web"
BASE=$base node e2e/run.mjs "$@"
