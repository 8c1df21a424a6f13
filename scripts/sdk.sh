#!/usr/bin/env bash
# sdk.sh FOLDER: the official clients of model providers, as they are, through
# the door. FOLDER has the driver sdk (OpenAI and Anthropic, nine checks), npm ci
# done, beside the model server _mock it talks to; AzureOpenAI, Amazon's and
# Google's are driven by scripts/sdk here.
[ $# -eq 1 ] || { echo "usage: sdk.sh FOLDER" >&2; exit 2; }
. "$(dirname "$0")/lib.sh"
reeve=${REEVE:-$reeve}
mock=$(cd "$1/../_mock" && pwd)
mkdir "$work/sdk"
cp "$root"/scripts/sdk/{driver.mjs,package.json,package-lock.json,.npmrc} "$work/sdk/"
(cd "$work/sdk" && npm ci >"$work/npm" 2>&1) || { cat "$work/npm" >&2; exit 1; }

behind=()
trap 'kill "${behind[@]}" 2>/dev/null || true; cleanup' EXIT
node "$mock/mockllm.mjs" >"$work/models" & behind+=($!)
node "$work/sdk/driver.mjs" provider >"$work/provider" & behind+=($!)
for _ in $(seq 300); do [ -s "$work/models" ] && [ -s "$work/provider" ] && break; sleep 0.1; done

start_server serve --dev
export REEVE_SERVER=$base
upstream() { "$reeve" upstream set "$1" --kind llm --dialect "$2" --url "$3" --team core --allow-private --credential "$4" "${@:5}" >/dev/null; }
upstream models openai "$(cat "$work/models")" none
printf '%s' azure-secret | upstream azure azure "$(cat "$work/provider")" - --as header:api-key
printf '%s' AKIDEXAMPLE:secret | upstream bedrock bedrock "$(cat "$work/provider")" - --as sigv4:eu-west-1:bedrock
printf '%s' gemini-secret | upstream gemini gemini "$(cat "$work/provider")" - --as header:x-goog-api-key
"$reeve" agent create clients --team core --owner dev --sponsor dev --purpose "runs clients as they are" >/dev/null
# Not a pilot: those have a budget in money, which a model without a price meets.
"$reeve" agent promote clients production --ungated --reason "a test" >/dev/null
key=$("$reeve" agent key create clients -o json 2>/dev/null | node -e 'let s="";process.stdin.on("data",d=>s+=d).on("end",()=>console.log(JSON.parse(s).key))')

failed=0
(cd "$1" && MOCK=$(cat "$work/models") GATEWAY=$door/llm/models AGENT_TOKEN=$key node driver.mjs) >"$work/first" 2>&1 || failed=1
(cd "$work/sdk" && DOOR=$door KEY=$key node driver.mjs) >"$work/second" 2>&1 || failed=1
first=$(grep -c '^ok' "$work/first" || true) second=$(grep -c '^ok' "$work/second" || true)
[ "$first" = 9 ] && [ "$second" = 7 ] || failed=1
# No call without its decision: 11 of the first driver, 7 of the second.
decided=$("$reeve" decision list --agent clients --limit 100 -o json | node -e 'let s="";process.stdin.on("data",d=>s+=d).on("end",()=>console.log(JSON.parse(s).items.filter(d=>d.verdict==="allow").length))')
[ "$decided" = 18 ] || { echo "sdk: $decided calls were decided, want 18" >&2; failed=1; }
[ "$failed" = 0 ] || { echo "sdk: FAILED"; cat "$work/first" "$work/second" "$work/log" >&2; exit 1; }
echo "official clients through the door: $first checks of OpenAI and Anthropic, $second of Azure, Bedrock and Gemini, $decided decisions"
