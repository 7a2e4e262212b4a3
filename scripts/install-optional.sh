#!/usr/bin/env bash
# Installs what some tests use if it is there, and are skipped without: OpenAI's package for Node.
set -euo pipefail
cd "$(dirname "$0")/.."

if command -v npm > /dev/null; then
  npm ci --no-audit --no-fund --prefix tests/Hadal.Serving.Tests/Clients/openai-node
else
  echo "npm is not here; the tour by OpenAI's package for Node will be skipped" >&2
fi
