#!/usr/bin/env bash
# From an empty data folder to a governed call of one's own agent, a refusal and
# an alert, by the README's commands, timed. Building from an empty cache takes
# about 150 s of the five minutes; the rest has the other 150.
. "$(dirname "$0")/lib.sh"
began=$(date +%s%N)
since() { echo "$((($(date +%s%N) - began) / 1000000))"; }
fail() { echo "governed: $1" >&2; cat "$work/log" "$work/model.log" >&2; exit 1; }

# A model provider that takes one key.
model_port=$(free_port)
cat >"$work/model.mjs" <<'JS'
import http from 'node:http';
http.createServer((q, r) => {
  q.resume().on('end', () => {
    console.log(q.method, q.url, q.headers.authorization);
    if (q.headers.authorization !== 'Bearer sk-provider') { r.writeHead(401).end(); return; }
    r.writeHead(200, { 'content-type': 'application/json' });
    r.end(JSON.stringify({ id: 'c1', object: 'chat.completion', model: 'gpt-4o-mini', choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }], usage: { prompt_tokens: 41, completion_tokens: 13 } }));
  });
}).listen(+process.argv[2], '127.0.0.1');
JS
node "$work/model.mjs" "$model_port" >"$work/model.log" 2>&1 &
model=$!
trap 'kill "$model" 2>/dev/null || true; cleanup' EXIT

export OPENAI_API_KEY=sk-provider
start_server serve --dev
started=$(since)
export REEVE_SERVER=$base
curl -sN "$base/api/v1/events" >"$work/events" 2>/dev/null &
events=$!
trap 'kill "$model" "$events" 2>/dev/null || true; cleanup' EXIT

# As the README has it.
"$reeve" upstream set openai --kind llm --dialect openai --url "http://127.0.0.1:$model_port" --team core --environment production --credential env:OPENAI_API_KEY --allow-private >/dev/null
"$reeve" agent create refund --team core --purpose "gives money back" >/dev/null
key=$("$reeve" agent key create refund -o json 2>/dev/null | node -e 'let s="";process.stdin.on("data",d=>s+=d).on("end",()=>console.log(JSON.parse(s).key))')
call() { curl -sS -o "$work/answer" -D "$work/head" -w '%{http_code}' "$door/llm/openai/v1/chat/completions" -H "authorization: Bearer $key" -H 'content-type: application/json' -d "$1"; }
hello='{"model":"gpt-4o-mini","max_tokens":50,"messages":[{"role":"user","content":"hello"}]}'
code=$(call "$hello")
[ "$code" = 200 ] || fail "the call was answered $code: $(cat "$work/answer")"
decision=$(tr -d '\r' <"$work/head" | awk 'tolower($1)=="x-reeve-decision:"{print $2}')
"$reeve" decision show "$decision" | grep -q allow || fail "no decision says allow"
governed=$(since)

# A refusal: what the guardrails do not let out of the house, and a budget's end.
code=$(call '{"model":"gpt-4o-mini","max_tokens":50,"messages":[],"web_search_options":{}}')
[ "$code" = 403 ] || fail "a hosted tool was answered $code: $(cat "$work/answer")"
refused=$(since)

"$reeve" budget set refund-day --for agent=refund --unit calls --limit 3 --per day --hard >/dev/null
for _ in 1 2 3 4; do code=$(call "$hello"); done
[ "$code" = 429 ] || fail "beyond its budget the agent was answered $code: $(cat "$work/answer")"
for _ in $(seq 100); do
  grep -q '^event: budget.threshold' "$work/events" && break
  sleep 0.1
done
grep -q '^event: budget.threshold' "$work/events" || fail "no alert came: $(cut -c1-200 "$work/events" | tail -5)"
alerted=$(since)

echo "from an empty folder: ready after $started ms, a governed call after $governed ms, a refusal after $refused ms, an alert after $alerted ms (limit 150 s)"
[ "$alerted" -lt 150000 ]
