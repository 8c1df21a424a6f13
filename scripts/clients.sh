#!/usr/bin/env bash
# clients.sh FOLDER [TRUTH]: run real, unmodified clients against a running
# server and compare what the API then says with what they did.
#
# FOLDER has one folder a client (a driver and its package-lock.json) and a
# run.sh that gives a driver a model server and the addresses PRODUCT and
# PRODUCT_GRPC. It is copied; nothing is written to it. TRUTH says what the
# drivers do; without it, FOLDER/../captures/truth.json or the one of the
# recorded payloads in this repository.
[ $# -ge 1 ] || { echo "usage: clients.sh FOLDER [TRUTH]" >&2; exit 2; }
folder=$(cd "$1" && pwd)
. "$(dirname "$0")/lib.sh"
truth=${2:-$folder/../captures/truth.json}
[ -f "$truth" ] || truth=$root/internal/intake/testdata/captures/truth.json
cp -r "$folder" "$work/clients"
for client in _node otel-genai openinference traceloop langgraph vercel-ai-v5 langfuse langfuse-v3 openai-agents ddtrace ddtrace6; do
  (cd "$work/clients/$client" && npm ci --no-audit --no-fund >"$work/npm" 2>&1) || { cat "$work/npm" >&2; exit 1; }
done

passed=0 failed=0
# try NAME CLIENT ENVIRONMENT TRUTH [DRIVER]: a server of its own for each, since
# every driver tells the same story. ONLY, a pattern of names, leaves the others
# out.
try() {
  [[ -z ${ONLY:-} || $1 =~ $ONLY ]] || return 0
  rm -rf "$work/data"
  start_server serve --dev
  if PRODUCT=$base PRODUCT_GRPC=$grpc DRIVER_ENV=$3 OUT=$work/captured "$work/clients/run.sh" "$2" "${5:-driver.mjs}" >"$work/driver" 2>&1 \
    && grep -q "rc=0" "$work/driver" \
    && node "$root/scripts/clients.mjs" "$1" "$base" "$truth" "$4"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "$1: FAILED"
    cat "$work/driver"
    cat "$work/log"
  fi
  stop_server
}
try "otel-genai http/protobuf" otel-genai "" otel-genai
try "otel-genai http/json" otel-genai OTLP=json otel-genai-json
try "otel-genai grpc" otel-genai OTLP=grpc otel-genai-grpc
try "openinference" openinference "" openinference
try "traceloop" traceloop "" traceloop
try "langgraph" langgraph "" langgraph-openinference
try "langsmith" langgraph TRACE=langsmith langsmith
try "vercel ai sdk 5" vercel-ai-v5 "" vercel-ai-v5
try "langfuse 5" langfuse "" langfuse
try "langfuse 3" langfuse-v3 "" langfuse-v3
try "openai agents" openai-agents "" openai-agents
try "datadog 5" ddtrace "" ddtrace driver.cjs
NODE=$work/clients/_node/node_modules/.bin/node try "datadog 6" ddtrace6 "" ddtrace-6 driver.cjs
# The token endpoint, with openid-client as it is.
(cd "$work/clients/oidc" && npm ci --no-audit --no-fund >"$work/npm" 2>&1) || { cat "$work/npm" >&2; exit 1; }
cp "$root/scripts/oidc.mjs" "$work/clients/oidc/reeve.mjs"
rm -rf "$work/data"
start_server serve --dev
if (cd "$work/clients/oidc" && BASE=$base ISSUER=$door node reeve.mjs) >"$work/driver" 2>&1; then
  passed=$((passed + 1))
  echo "openid-client: $(grep -c '^ok' "$work/driver") checks"
else
  failed=$((failed + 1))
  echo "openid-client: FAILED"
  cat "$work/driver" "$work/log"
fi
stop_server
# Sign-in with a provider of others' make.
cp "$root/scripts/signin.mjs" "$work/clients/oidc/signin.mjs"
rm -rf "$work/data"
issuer=http://127.0.0.1:$(free_port)
printf '%s' reeve-secret-1 >"$work/oidc-secret"
cat >"$work/oidc.yaml" <<YAML
oidc:
  - name: corp
    issuer: $issuer
    allow_private: true
    client_id: reeve
    client_secret_file: $work/oidc-secret
    scopes: [profile, email, groups]
    create: true
    groups: {sre: {teams: [platform], roles: [responder]}}
YAML
start_server serve --config "$work/oidc.yaml"
if (cd "$work/clients/oidc" && BASE=$base ISSUER=$issuer node signin.mjs) >"$work/driver" 2>&1; then
  passed=$((passed + 1))
  echo "oidc-provider: $(grep -c '^ok' "$work/driver") checks"
else
  failed=$((failed + 1))
  echo "oidc-provider: FAILED"
  cat "$work/driver" "$work/log"
fi
stop_server
# The official clients of model providers, as they are, through the door.
(cd "$work/clients/sdk" && npm ci --no-audit --no-fund >"$work/npm" 2>&1) || { cat "$work/npm" >&2; exit 1; }
if "$root/scripts/sdk.sh" "$work/clients/sdk"; then
  passed=$((passed + 1))
else
  failed=$((failed + 1))
fi
# Tools that run inside the agent's process ask first, with the real SDKs.
mkdir "$work/clients/points"
cp "$root"/examples/points/package*.json "$root/examples/points/.npmrc" "$work/clients/points/"
(cd "$work/clients/points" && npm ci --no-audit --no-fund >"$work/npm" 2>&1) || { cat "$work/npm" >&2; exit 1; }
for framework in langgraph openai-agents; do
  if "$root/scripts/points.sh" "$framework" "$work/clients/points"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
  fi
done
# An agent of others' make, invoked for golden tasks and bias pairs, and judged.
if "$root/scripts/invoked.sh" "$work/clients"; then
  passed=$((passed + 1))
else
  failed=$((failed + 1))
fi
# Agents that call agents, with the official A2A client as it is.
if "$root/scripts/a2a.sh" "$folder/a2a"; then
  passed=$((passed + 1))
else
  failed=$((failed + 1))
fi
# Tools, with the official MCP client and the inspector as they are.
if "$root/scripts/mcp.sh" "$folder/mcp" "$folder/mcp-inspector"; then
  passed=$((passed + 1))
else
  failed=$((failed + 1))
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
