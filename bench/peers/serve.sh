#!/usr/bin/env bash
# The same load on Hadal's server and on llama.cpp's, in alternating rounds.
#
#   bench/peers/serve.sh LLAMA_SERVER MODEL_FOLDER
#
# LLAMA_SERVER  the program llama-server of a llama.cpp build.
# MODEL_FOLDER  a Hugging Face folder with a tokenizer; its BF16 weights go into a GGUF file for the peer.
#
# Settings through the environment: HADAL (how the program is called), STREAMS (64), SECONDS_EACH (25), ROUNDS (2), THREADS (2), PROMPT (100 tokens), ANSWER (64).
# Both answer greedily, without reusing prompts of earlier requests (every prompt is another one). One server runs at a time.
set -euo pipefail

[ $# -eq 2 ] || { sed -n '2,/^set/p' "$0" | sed '/^set/d;s/^# \{0,1\}//'; exit 2; }
root=$(cd "$(dirname "$0")/../.." && pwd)
peer=$1 model=$2
read -r -a hadal <<< "${HADAL:-dotnet run -c Release --project $root/src/Hadal.Cli --}"
streams=${STREAMS:-64} seconds=${SECONDS_EACH:-25} rounds=${ROUNDS:-2} threads=${THREADS:-2} prompt=${PROMPT:-100} answer=${ANSWER:-64}
port=18431
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2> /dev/null; rm -rf "$work"' EXIT
"${hadal[@]}" convert "$model" "$work/model.gguf" --weights bf16 2> /dev/null

ready() { # URL
    for _ in $(seq 120); do
        curl -sf "$1" > /dev/null && return
        sleep 0.5
    done
    echo "no server at $1" >&2
    exit 1
}

load() { # NAME
    "${hadal[@]}" bench serve "http://127.0.0.1:$port" --concurrency "$streams" --duration "$seconds" --prompt-tokens "$prompt" --answer-tokens "$answer" --json 2> /dev/null > "$work/result"
    echo "$1 $(tr -d '\n ' < "$work/result")"
    kill "$server"
    wait "$server" 2> /dev/null || true
    server=
}

for _ in $(seq "$rounds"); do
    "${hadal[@]}" serve "$model" --port $port --no-page --threads "$threads" 2> /dev/null & server=$!
    ready "http://127.0.0.1:$port/health/ready"
    load hadal
    "$peer" -m "$work/model.gguf" --port $port -np "$streams" -c $(((prompt + answer + 32) * streams)) -t "$threads" -tb "$threads" --threads-http $((streams + 16)) > /dev/null 2>&1 & server=$!
    ready "http://127.0.0.1:$port/health"
    load peer
done
