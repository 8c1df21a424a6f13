#!/usr/bin/env bash
# crash.sh ROUNDS: kill -9 at random moments under load, then compare every
# acknowledged span, and the totals, with the truth.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
"$root/bin/reeve" bench crash --rounds "${1:-5}"
