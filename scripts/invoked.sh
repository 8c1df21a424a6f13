#!/usr/bin/env bash
# invoked.sh FOLDER: an agent of others' make, LangGraph as it is, invoked by Reeve for
# golden tasks and bias pairs, and looked at by groundedness, voice and a judge. FOLDER
# has langgraph (installed), _mock, _capture and run.sh.
[ $# -ge 1 ] || { echo "usage: invoked.sh FOLDER" >&2; exit 2; }
folder=$(cd "$1" && pwd)
. "$(dirname "$0")/lib.sh"
cp "$root/scripts/invoked/agent.mjs" "$folder/langgraph/reeve-agent.mjs"
node "$root/scripts/invoked/model.mjs" "$folder/_mock/mockllm.mjs" >"$work/model" & model_pid=$!
trap 'kill "$model_pid" 2>/dev/null || true; cleanup' EXIT
for _ in $(seq 100); do [ -s "$work/model" ] && break; sleep 0.1; done
model=$(cat "$work/model")
cat >"$work/invoke.yaml" <<YAML
invoke:
  - agent: refund-agent
    command: [$(command -v node), $folder/langgraph/reeve-agent.mjs]
    env: ["OPENAI_BASE_URL={{door}}/llm/openai/v1", "OPENAI_API_KEY=any"]
    local: [lookup_order]
    timeout: 60s
YAML
start_server serve --dev --config "$work/invoke.yaml"
send() { curl -fsS -X "$1" -H 'content-type: application/json' -d "$3" "$base/api/v1$2" >"$work/answer" || { cat "$work/answer" "$work/log" >&2; exit 1; }; }
for agent in refund-agent judge-agent; do
  send POST /agents "{\"name\":\"$agent\",\"team\":\"core\",\"purpose\":\"is looked at from outside\"}"
done
send PUT /upstreams/openai "{\"kind\":\"llm\",\"dialect\":\"openai\",\"url\":\"$model\",\"team\":\"core\",\"environment\":\"production\",\"shared\":true,\"allow_private\":true}"
send PUT /evaluators/grounded '{"kind":"groundedness","agents":["refund-agent"]}'
send PUT /evaluators/house-voice '{"kind":"voice","agents":["refund-agent"],"rules":{"Currency.yml":"extends: existence\nmessage: Write the sign, not %s.\nlevel: error\ntokens:\n  - EUR\n"}}'
send PUT /evaluators/helpful '{"kind":"judge","agents":["refund-agent"],"judge":{"agent":"judge-agent","upstream":"openai","model":"gpt-4o","prompt":"Does the answer say what the order shows, and promise nothing else?"}}'
# The driver as it is, as people use it: its spans come to the server, its model is the
# folder's own.
PRODUCT=$base PRODUCT_GRPC=$grpc OUT=$work/captured "$folder/run.sh" langgraph driver.mjs >"$work/driver" 2>&1 && grep -q "rc=0" "$work/driver" || { cat "$work/driver" >&2; exit 1; }
if node "$root/scripts/invoked/check.mjs" "$base" "$model" >"$work/checked" 2>&1; then
  echo "invoked langgraph: $(grep -c '^ok' "$work/checked") checks"
  [ -z "${VERBOSE:-}" ] || cat "$work/checked"
else
  echo "invoked langgraph: FAILED"
  cat "$work/checked" "$work/log"
  exit 1
fi
