#!/usr/bin/env bash
# Installs what some tests use if it is there, and are skipped without, on Debian and Ubuntu: Chromium, for the page that hadal serve shows; Node with OpenAI's
# package, for the tour by that package; Open MPI and MPICH, for ranks that are processes, and ip, for networks between them.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
command -v chromium > /dev/null || command -v chromium-browser > /dev/null || command -v google-chrome > /dev/null || missing+=(chromium)
command -v npm > /dev/null || missing+=(nodejs npm)
command -v mpirun.openmpi > /dev/null || missing+=(openmpi-bin libopenmpi3)
command -v mpiexec.hydra > /dev/null || missing+=(mpich libmpich12)
command -v ip > /dev/null || [ -x /usr/sbin/ip ] || missing+=(iproute2)
if [ ${#missing[@]} -gt 0 ]; then
    as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update
    "${as_root[@]}" apt-get install --yes --no-install-recommends "${missing[@]}"
fi

npm ci --no-audit --no-fund --prefix tests/Hadal.Serving.Tests/Clients/openai-node
