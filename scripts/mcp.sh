#!/usr/bin/env bash
# mcp.sh FOLDER [INSPECTOR]: the official MCP client of FOLDER and the inspector
# of INSPECTOR (FOLDER-inspector), as they are, through the door to the reference
# server; then the client on its way to a token of ours. The folders are copied;
# nothing is written to them.
[ $# -ge 1 ] || { echo "usage: mcp.sh FOLDER [INSPECTOR]" >&2; exit 2; }
folder=$(cd "$1" && pwd)
inspector=$(cd "${2:-$folder-inspector}" && pwd)
. "$(dirname "$0")/lib.sh"
cp -r "$folder" "$work/mcp" && cp -r "$inspector" "$work/inspector" && chmod -R u+w "$work/mcp" "$work/inspector"
cp "$root/scripts/mcp-oauth.mjs" "$work/mcp/oauth.mjs"
# The reference server listens on every address unless it is told otherwise.
cat >"$work/mcp/loopback.mjs" <<'JS'
import net from 'node:net';
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (...a) {
  const done = typeof a.at(-1) === 'function' ? a.pop() : undefined;
  const o = typeof a[0] === 'object' && a[0] ? { ...a[0] } : { port: a[0] };
  return listen.call(this, { ...o, host: '127.0.0.1' }, done);
};
JS
install() { (cd "$1" && { [ -d node_modules ] || npm ci --no-audit --no-fund >"$work/npm" 2>&1; }) || { cat "$work/npm" >&2; exit 1; }; }
install "$work/mcp"

port=$(free_port)
(cd "$work/mcp" && PORT=$port exec node --import ./loopback.mjs node_modules/@modelcontextprotocol/server-everything/dist/index.js streamableHttp) >"$work/everything" 2>&1 &
everything=$!
trap 'kill "$everything" 2>/dev/null || true; cleanup' EXIT

start_server serve --dev
export REEVE_SERVER=$base
{
  "$reeve" upstream set everything --kind mcp --url "http://127.0.0.1:$port/mcp" --team core --shared --allow-private
  echo '@id("tools") @reason("a client'"'"'s test") permit (principal, action, resource);' >"$work/tools.cedar"
  "$reeve" policy put tools --file "$work/tools.cedar" --mode enforce --reason "a client's test"
  for _ in $(seq 300); do "$reeve" tool list -o json | grep -q '"everything"' && break; sleep 0.1; done
  # The definitions are the reference server's own, and a person looked at them.
  "$reeve" tool list -o json | node -e '
    const { items } = JSON.parse(require("fs").readFileSync(0, "utf8"));
    for (const t of items) console.log(t.name, ...(t.findings ?? []).map((f) => "--acknowledge " + f.code));' | while read -r tool codes; do
    # shellcheck disable=SC2086 # codes are several words
    "$reeve" tool accept $codes --effect read --reason "the reference server" everything "$tool"
  done
} >"$work/set" 2>&1 || { cat "$work/set" "$work/log" >&2; exit 1; }

bad=0
verdict() { # verdict NAME: after a test that leaves what was said in $work/driver
  if [ "$2" = 0 ]; then echo "$1: passed"; else echo "$1: FAILED"; cat "$work/driver" >&2; tail -20 "$work/log" >&2; bad=1; fi
}
check() { local name=$1; shift; if "$@" >"$work/driver" 2>&1; then verdict "$name" 0; else verdict "$name" 1; fi; }
driver() { (cd "$work/mcp" && MCP_URL=$door/mcp/everything node driver.mjs) | tee "$work/said" && grep -q 'Echo: refund 1042' "$work/said" && grep -q 'sum of 2 and 3 is 5' "$work/said" && grep -q ' resources ' "$work/said"; }
oauth() { (cd "$work/mcp" && BASE=$base DOOR=$door node oauth.mjs) | tee "$work/said" && [ "$(grep -c '^ok' "$work/said")" = 7 ]; }
check "MCP client (SDK for TypeScript)" driver
check "MCP client by OAuth" oauth

# The inspector asks for Node 22.19.
node22=node
if [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 24 ]; then
  mkdir -p "$work/node24" && (cd "$work/node24" && npm init -y && npm i --no-audit --no-fund node@24.21.0) >"$work/npm" 2>&1 || { cat "$work/npm" >&2; exit 1; }
  node22=$work/node24/node_modules/node/bin/node
fi
install "$work/inspector"
inspect() { (cd "$work/inspector" && PATH=$(dirname "$node22"):$PATH "$node22" "$bin" --cli "$door/mcp/everything" --transport http "$@"); }
bin=$work/inspector/node_modules/$(node -p "const b=require('$work/inspector/node_modules/@modelcontextprotocol/inspector/package.json').bin; '@modelcontextprotocol/inspector/'+(typeof b==='string'?b:Object.values(b)[0])")
listing() { inspect --method tools/list | grep -q '"echo"'; }
calling() { inspect --method tools/call --tool-name echo --tool-arg message="refund 1042" | grep -q 'Echo: refund 1042'; }
check "MCP inspector lists tools" listing
check "MCP inspector calls a tool" calling
exit $bad
