#!/usr/bin/env bash
# What some tests use if it is there and are skipped without: Chromium, for the tests of the page that hadal serve shows. For Debian and Ubuntu.
set -euo pipefail
if command -v chromium chromium-browser google-chrome > /dev/null; then
    echo "a Chromium is there already"
    exit 0
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then as_root=(sudo); fi
"${as_root[@]}" apt-get update
"${as_root[@]}" apt-get install --yes --no-install-recommends chromium
