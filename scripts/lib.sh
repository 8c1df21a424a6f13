# Sourced by the scripts beside it: start a server on free loopback ports in a
# folder of its own, and end it (by its own pid) however the script ends.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
reeve=$root/bin/reeve
work=$(mktemp -d)
pid=

free_port() { node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})'; }

stop_server() {
  if [ -n "$pid" ]; then
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    pid=
  fi
}
cleanup() { stop_server; rm -rf "$work"; }
trap cleanup EXIT

# start_server COMMAND [FLAGS...]: sets base, door, grpc and pid, waits until ready.
start_server() {
  local http grpc_port otlp gateway
  http=$(free_port); grpc_port=$(free_port); otlp=$(free_port); gateway=$(free_port)
  base=http://127.0.0.1:$http; grpc=http://127.0.0.1:$grpc_port; door=http://127.0.0.1:$gateway
  "$reeve" "$@" --data "$work/data" --listen "127.0.0.1:$http" --gateway-listen "127.0.0.1:$gateway" \
    --otlp-grpc-listen "127.0.0.1:$grpc_port" --otlp-http-listen "127.0.0.1:$otlp" >"$work/out" 2>"$work/log" &
  pid=$!
  for _ in $(seq 600); do
    curl -fsS -o /dev/null "$base/readyz" 2>/dev/null && return 0
    kill -0 "$pid" 2>/dev/null || { cat "$work/out" "$work/log" >&2; echo "the server ended before it was ready" >&2; exit 1; }
    sleep 0.1
  done
  cat "$work/out" "$work/log" >&2; echo "the server was not ready within 60 s" >&2; exit 1
}
