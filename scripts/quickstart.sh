#!/usr/bin/env bash
# The first five minutes of a new user, timed: start the server, send a first
# trace as an agent of one's own would, and see it through the API that the
# console reads.
. "$(dirname "$0")/lib.sh"
began=$(date +%s)
start_server serve --dev
trace=$(printf '%032x' "$((RANDOM * RANDOM + 1))")
now=$(date +%s)
curl -fsS "$base/v1/traces" -H 'content-type: application/json' -d @- <<JSON >/dev/null
{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"my-first-agent"}}]},
 "scopeSpans":[{"scope":{"name":"quickstart"},"spans":[
  {"traceId":"$trace","spanId":"00000000000000a1","name":"invoke_agent my-first-agent","startTimeUnixNano":"${now}000000000","endTimeUnixNano":"$((now + 2))000000000",
   "attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"invoke_agent"}},{"key":"gen_ai.agent.name","value":{"stringValue":"my-first-agent"}}]},
  {"traceId":"$trace","spanId":"00000000000000a2","parentSpanId":"00000000000000a1","name":"chat gpt-4o-mini","startTimeUnixNano":"${now}100000000","endTimeUnixNano":"$((now + 1))000000000",
   "attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.provider.name","value":{"stringValue":"openai"}},
    {"key":"gen_ai.request.model","value":{"stringValue":"gpt-4o-mini"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"41"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":"13"}}]}]}]}]}
JSON
for _ in $(seq 100); do
  found=$(curl -fsS "$base/api/v1/runs?agent=my-first-agent")
  case $found in *'"input_total":41'*) break ;; esac
  sleep 0.1
done
case $found in *'"input_total":41'*) ;; *) echo "the first trace did not become a run with its 41 tokens: $found" >&2; cat "$work/log" >&2; exit 1 ;; esac
curl -fsS "$base/" | grep -q '<div id="root"' || { echo "the console does not answer" >&2; exit 1; }
took=$(($(date +%s) - began))
echo "first trace seen $took s after the start (limit 300 s)"
[ "$took" -lt 300 ]
