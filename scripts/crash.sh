#!/usr/bin/env bash
# crash.sh ROUNDS: kill -9 at random moments under load, then compare every
# acknowledged span, and the totals, with the truth.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
# Kills further apart leave time for merges, which a faster beat never meets.
"$root/bin/reeve" bench crash --rounds "${1:-5}" --between 1500ms
