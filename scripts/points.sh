#!/usr/bin/env bash
# points.sh FRAMEWORK FOLDER: run examples/points with a framework's real SDK,
# installed in FOLDER, against a server: allow, deny, hold and approve.
[ $# -eq 2 ] || { echo "usage: points.sh langgraph|openai-agents FOLDER" >&2; exit 2; }
. "$(dirname "$0")/lib.sh"
reeve=${REEVE:-$reeve}
cp "$root"/examples/points/*.mjs "$2/"
start_server serve --dev
export REEVE_SERVER=$base
cat >"$work/clerk.cedar" <<'CEDAR'
@id("tools") permit (principal == Agent::"clerk", action == Action::"call_tool", resource) when { resource in Upstream::"local" && !(resource == Tool::"local.pay") && !(resource == Tool::"local.mail") };
@id("mail") @redact("pii.payment.card") permit (principal == Agent::"clerk", action == Action::"call_tool", resource == Tool::"local.mail");
@id("pay") @hold("approvers") @reason("money leaves") permit (principal == Agent::"clerk", action == Action::"call_tool", resource == Tool::"local.pay");
@id("no-shell") @reason("no shells") forbid (principal == Agent::"clerk", action == Action::"call_tool", resource == Tool::"local.shell");
CEDAR
"$reeve" agent create clerk --team core --owner ada --autonomy bounded --labels effect.look=read,effect.mail=write,effect.pay=write,effect.shell=read,effect.breaks=read --purpose "runs tools of its own" >/dev/null
"$reeve" policy put clerk --team core --file "$work/clerk.cedar" --mode enforce --reason "a test" >/dev/null
KEY=$("$reeve" agent key create clerk -o json 2>/dev/null | node -e 'let s="";process.stdin.on("data",d=>s+=d).on("end",()=>console.log(JSON.parse(s).key))')
export KEY DOOR=$door BASE=$base
(cd "$2" && node "test-$1.mjs") || { cat "$work/log" >&2; exit 1; }
