#!/usr/bin/env bash
# conformance-mcp.sh: the official MCP conformance suite, both sets, against one
# reference server of each era: directly, and through the door of a real server.
# A scenario whose verdict differs fails the script. Then the sets once more
# across the eras, which is reported, with the scenarios about tasks in front of a
# server of the official SDK that runs tools as tasks of 2025-11-25 (mcp-tasks.mjs):
# one that fails fails the script. At last the client scenarios, authorization
# included: the suite's servers are upstreams, called through the door by
# mcp-client.mjs; a scored one that fails fails the script. FOLDER, when given, is one with the suite
# installed (npm i @modelcontextprotocol/conformance@0.2.0-alpha.12 node@24).
. "$(dirname "$0")/lib.sh"
suite=${1:-}
if [ -z "$suite" ]; then
  suite=$work/suite && mkdir -p "$suite"
  (cd "$suite" && npm init -y && npm i --no-audit --no-fund node@24.21.0 @modelcontextprotocol/conformance@0.2.0-alpha.12) >"$work/npm" 2>&1 || { cat "$work/npm" >&2; exit 1; }
fi
[ -x "$suite/node_modules/node/bin/node" ] && PATH=$suite/node_modules/node/bin:$PATH
conformance=$suite/node_modules/@modelcontextprotocol/conformance/dist/index.js

# The reference servers are the one of the Go SDK, without and with sessions.
(cd "$root" && ${GO:-go} build -o "$work/reference" github.com/modelcontextprotocol/go-sdk/conformance/everything-server)
modern=$(free_port) session=$(free_port) tasks=$(free_port)
"$work/reference" -http "127.0.0.1:$modern" >"$work/ref1" 2>&1 & ref1=$!
"$work/reference" -stateless=false -http "127.0.0.1:$session" >"$work/ref2" 2>&1 & ref2=$!
(cd "$suite" && exec node "$root/scripts/mcp-tasks.mjs" "$tasks") >"$work/ref3" 2>&1 & ref3=$!
trap 'kill "$ref1" "$ref2" "$ref3" 2>/dev/null || true; cleanup' EXIT

# The client id metadata document is the one that the suite's servers know.
printf 'tools:\n  trust_first_use: true\nconnections:\n  client_id: https://conformance-test.local/client-metadata.json\n' >"$work/reeve.yaml"
start_server serve --dev --config "$work/reeve.yaml"
export REEVE_SERVER=$base
echo '@id("all") @reason("a conformance test") permit (principal, action, resource);' >"$work/all.cedar"
{
  "$reeve" upstream set stateless --kind mcp --url "http://127.0.0.1:$modern/mcp" --team core --shared --allow-private
  "$reeve" upstream set sessions --kind mcp --url "http://127.0.0.1:$session/mcp" --team core --shared --allow-private
  "$reeve" upstream set to-stateless --kind mcp --dialect stateless --url "http://127.0.0.1:$modern/mcp" --team core --shared --allow-private
  "$reeve" upstream set to-sessions --kind mcp --dialect session --url "http://127.0.0.1:$session/mcp" --team core --shared --allow-private
  "$reeve" upstream set tasks --kind mcp --dialect session --url "http://127.0.0.1:$tasks/mcp" --team core --shared --allow-private
  "$reeve" policy put all --file "$work/all.cedar" --mode enforce --reason "a conformance test"
} >"$work/set" 2>&1 || { cat "$work/set" "$work/log" >&2; exit 1; }
# Its tools are looked at: the definitions are the reference server's own.
for name in stateless sessions to-stateless to-sessions tasks; do
  for _ in $(seq 100); do "$reeve" tool list -o json 2>/dev/null | grep -q "\"$name\"" && break; sleep 0.1; done
done
"$reeve" tool list -o json | node -e '
  const { items } = JSON.parse(require("fs").readFileSync(0, "utf8"));
  for (const t of items) console.log(t.upstream, t.name, ...(t.findings ?? []).map((f) => "--acknowledge " + f.code));' | while read -r upstream tool codes; do
  # shellcheck disable=SC2086 # codes are several words
  "$reeve" tool accept $codes --effect read --reason "the reference server" "$upstream" "$tool" >"$work/accept" 2>&1 || cat "$work/accept" >&2
done

# run NAME URL SET: a line "scenario passed failed" for each, sorted.
run() {
  timeout 600 node "$conformance" server --url "$2" --requirements "$3" -o "$work/results" >"$work/$1.out" 2>&1 || true
  sed -nE '/SUMMARY/,$ s/^[✓✗] ([^:]+): ([0-9]+) passed, ([0-9]+) failed$/\1 \2 \3/p' "$work/$1.out" | sort >"$work/$1"
  [ -s "$work/$1" ] || { tail -20 "$work/$1.out" >&2; echo "$1: the suite did not run" >&2; exit 1; }
}
count() { awk '{ if ($3 == 0) ok++; n++ } END { printf "%d of %d scenarios", ok, n }' "$work/$1"; }
bad=0
same() { # same NAME URL DOOR SET
  run "$1-direct" "$2" "$4"
  run "$1-door" "$3" "$4"
  # The verdict is what fails; a check that only warns is said, and no failure.
  join "$work/$1-direct" "$work/$1-door" | awk '$2 != $4 && $3 == $5 { print $1 ": " $4 " of " $2 " checks through the door, the rest warn" }'
  # A scenario that fails either way may fail fewer checks: the door refuses what
  # the server should have refused.
  join "$work/$1-direct" "$work/$1-door" | awk '$5 > $3 || ($3 == 0) != ($5 == 0) { print $1 ": " $3 " failed without the door, " $5 " through it" }' >"$work/$1.diff"
  if [ "$(wc -l <"$work/$1-direct")" = "$(wc -l <"$work/$1-door")" ] && [ ! -s "$work/$1.diff" ]; then
    echo "$4, server $1: $(count "$1-door") passed, each as without the door"
  else
    bad=1
    echo "$4, server $1: verdicts differ"
    cat "$work/$1.diff"
  fi
}
same stateless "http://127.0.0.1:$modern/mcp" "$door/mcp/stateless" 2026-07-28
same sessions "http://127.0.0.1:$session/mcp" "$door/mcp/sessions" 2025-11-25
across() { # across NAME URL DOOR SET
  run "$1-direct" "$2" "$4"
  run "$1-door" "$3" "$4"
  echo "$4 at a server of the other era: $(count "$1-door") passed, $(count "$1-direct") without the door; not passed: $(awk '$3 > 0 { printf "%s ", $1 }' "$work/$1-door")"
}
across to-stateless "http://127.0.0.1:$modern/mcp" "$door/mcp/to-stateless" 2025-11-25
across to-sessions "http://127.0.0.1:$session/mcp" "$door/mcp/to-sessions" 2026-07-28

failed=
for scenario in lifecycle capability-negotiation wire-fields request-state-removal mrtr-input request-headers dispatch-and-envelope required-task-error mrtr-composition; do
  timeout 120 node "$conformance" server --url "$door/mcp/tasks" --scenario "tasks-$scenario" -o "$work/results" >"$work/tasks-$scenario" 2>&1 || true
  grep -aqE '^Passed: [0-9]+/[0-9]+, 0 failed' "$work/tasks-$scenario" || { failed="$failed $scenario"; tail -30 "$work/tasks-$scenario" >&2; }
done
if [ -n "$failed" ]; then
  bad=1
  echo "2026-07-28, tasks of a server with sessions: failed:$failed"
else
  echo "2026-07-28, tasks of a server with sessions: all 9 scenarios passed"
fi

# clients SET SCENARIO...: each with a server of its own, two at once; a line for
# each that fails.
clients() {
  local set=$1 version=${2:+--spec-version $2}; shift 2
  export REEVE_DOOR=$door conformance work root version
  printf '%s\n' "$@" | xargs -P2 -I{} sh -c '
    name=$(echo {} | tr / _)
    # shellcheck disable=SC2086 # version is two words or none
    timeout 120 node "$conformance" client --command "node $root/scripts/mcp-client.mjs" --scenario {} $version -o "$work/results" >"$work/client-$name" 2>&1 || true
    grep -aqE "^Passed: [0-9]+/[0-9]+, 0 failed" "$work/client-$name" || { echo {} >>"$work/failed"; tail -30 "$work/client-$name" >&2; }'
  if [ -s "$work/failed" ]; then
    echo "$set, clients: failed: $(tr '\n' ' ' <"$work/failed")"
    rm "$work/failed"
    return 1
  fi
  echo "$set, clients: all $# scenarios passed"
}
scored() { sed -n '/^client:/,/^$/ s/^  - //p' "$(dirname "$conformance")/../requirements/$1.yaml"; }
for set in 2026-07-28 2025-11-25; do
  # shellcheck disable=SC2046 # one word each
  clients $set $set $(scored $set) json-schema-2020-12-preservation || bad=1
done
clients 2025-03-26 2025-03-26 auth/2025-03-26-oauth-metadata-backcompat auth/2025-03-26-oauth-endpoint-fallback || bad=1
clients "client credentials" "" auth/client-credentials-jwt auth/client-credentials-basic || bad=1
exit $bad
