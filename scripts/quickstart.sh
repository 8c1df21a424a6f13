#!/usr/bin/env bash
# The first five minutes of a new user, timed from the build on: build, start
# the server, let an agent with an ordinary OpenTelemetry SDK do one task, and
# see its run in the console.
. "$(dirname "$0")/lib.sh"
agent=refund-agent
go=${GO:-go}
began=$(date +%s)
cd "$root"
"$go" build -o bin/reeve ./cmd/reeve
built=$(($(date +%s) - began))
start_server serve --dev
# The agent's world: a scripted model and a shop's tools, as examples/README.md
# starts them.
"$go" build -o "$work/model" ./examples/modelserver/cmd
"$go" build -o "$work/shop" ./examples/shop/cmd
model=$(free_port); shop=$(free_port)
"$work/model" -listen "127.0.0.1:$model" >"$work/model.log" 2>&1 & also="$!"
"$work/shop" -listen "127.0.0.1:$shop" >"$work/shop.log" 2>&1 & also="$also $!"
trap 'kill $also 2>/dev/null || true; cleanup' EXIT
for port in "$model" "$shop"; do
  for _ in $(seq 100); do (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.1; done
done
OTEL_EXPORTER_OTLP_ENDPOINT=$base OPENAI_BASE_URL=http://127.0.0.1:$model/v1 ORDERS_MCP_URL=http://127.0.0.1:$shop/orders KB_MCP_URL=http://127.0.0.1:$shop/kb \
  "$go" run ./examples/support/cmd -count 1
node web/e2e/first.mjs "$base" "$agent" || { cat "$work/log" >&2; exit 1; }
took=$(($(date +%s) - began))
echo "first trace seen in the console $took s after the checkout, $built of them the build (limit 300 s)"
[ "$took" -lt 300 ]
