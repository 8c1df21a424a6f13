#!/usr/bin/env bash
# zlint.sh: what zlint says of the certificates of a fresh authority: root,
# intermediate, an agent's SVID (first and renewed), the door's own certificate
# and the revocation list. Nothing, is the answer that passes.
. "$(dirname "$0")/lib.sh"
[ -n "${ZLINT:-}" ] && cp "$ZLINT" "$work/zlint" || (cd "$root/tools/zlint" && go build -o "$work/zlint" .)
REEVE_GATEWAY_TLS=auto start_server serve --dev
export REEVE_SERVER=$base
"$reeve" agent create linted --team core --purpose "has its certificates checked" >/dev/null
join=$("$reeve" agent join-token create linted 2>/dev/null)
"$reeve" ca show --pem >"$work/root.pem"
https=https://${door#http://}
"$reeve" svid --door "$https" --roots "$work/root.pem" --join-token "$join" --out "$work/svid" >/dev/null
cp "$work/svid/svid.pem" "$work/first.pem"
"$reeve" svid --door "$https" --out "$work/svid" >/dev/null
curl -fsS --cacert "$work/root.pem" "$https/crl" >"$work/list.crl"
"$work/zlint" -connect "${https#https://}" "$work/root.pem" "$work/first.pem" "$work/svid/svid.pem" "$work/list.crl"
