#!/usr/bin/env bash
# Makes sure that a Chromium for the browser tests is there: CHROMIUM, one on
# the PATH, or Debian's package where apt-get can install it.
set -euo pipefail
if [ -n "${CHROMIUM:-}" ]; then
  [ -x "$CHROMIUM" ] || { echo "CHROMIUM=$CHROMIUM is no program" >&2; exit 1; }
  exit 0
fi
for name in chromium chromium-browser google-chrome; do
  command -v "$name" >/dev/null && exit 0
done
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null
  command -v chromium >/dev/null && exit 0
fi
echo "the browser tests need Chromium: install it, or set CHROMIUM to its path" >&2
exit 1
