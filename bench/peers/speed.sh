#!/usr/bin/env bash
# Speed of Hadal beside llama.cpp or ik_llama.cpp on the same model, in alternating runs; prints the medians and their ratio.
#
#   bench/peers/speed.sh PEER_BIN MODEL GGUF [FORMAT] [ROUNDS] [PEER OPTIONS …]
#
# PEER_BIN  folder with the peer's llama-bench
# MODEL     Hugging Face folder (or GGUF) that Hadal runs; FORMAT its weights (bf16, fp8, int8, int4; "stored" for as stored)
# GGUF      the same model for the peer: hadal convert MODEL GGUF --weights …
# DEPTHS    environment: depths to decode at, "0" or "0,4096" (default 0)
# THREADS   environment: threads of both (default 2)
#
# Example, the fork with its fast paths:
#   bench/peers/speed.sh ~/ik_llama.cpp/build/bin mid mid-q8.gguf int8 5 -mla 3 -fa 1 -fmoe 1
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
peer=$1; model=$2; gguf=$3; format=${4:-stored}; rounds=${5:-5}; shift $(($# < 5 ? $# : 5))
threads=${THREADS:-2}; depths=${DEPTHS:-0}
hadal="dotnet $here/src/Hadal.Cli/bin/Release/net10.0/hadal.dll"
weights=(); [ "$format" = stored ] || weights=(--weights "$format")
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
export LD_LIBRARY_PATH="$(find "$(dirname "$peer")" -name '*.so' -printf '%h\n' | sort -u | tr '\n' ':')${LD_LIBRARY_PATH:-}"

# Lines "name tokens-per-second".
run_hadal() {
  $hadal bench "$model" "${weights[@]}" --threads "$threads" --decode 64 --depth "$depths" --repeat 3 --json 2>/dev/null |
    grep -oE '"(kind|depth|tokens_per_second)": *("[a-z]+"|[0-9.]+)' | tr -d '" ' |
    awk -F: '$1=="kind"{k=$2} $1=="depth"{d=$2} $1=="tokens_per_second"{print (k=="prefill" ? "prefill" : "decode@" d), $2}'
}
run_peer() {
  "$peer/llama-bench" -m "$gguf" -t "$threads" -p 512 -n 64 -r 3 "$@" -o csv 2>/dev/null | fields 0
  local depth
  for depth in ${depths//,/ }; do
    [ "$depth" = 0 ] && continue
    { "$peer/llama-bench" -m "$gguf" -t "$threads" -p 0 -n 64 -d "$depth" -r 1 "$@" -o csv 2>/dev/null ||
      "$peer/llama-bench" -m "$gguf" -t "$threads" -p 0 -n 0 -gp "$depth,64" -r 1 "$@" -o csv 2>/dev/null; } | fields "$depth"
  done
}
# llama-bench's csv: a header without quotes, values with.
fields() {
  awk -v depth="$1" '
    /^build_commit/ { count = split($0, names, ","); for (i = 1; i <= count; i++) at[names[i]] = i; next }
    /^"/ { gsub(/^"|"$/, ""); split($0, v, "\",\""); p = v[at["n_prompt"]]; n = v[at["n_gen"]]; t = v[at["avg_ts"]];
      if (n > 0) print "decode@" depth, t; else if (p > 0) print "prefill", t }'
}
median() { sort -n | awk '{v[NR]=$1} END {print (NR ? v[int((NR + 1) / 2)] : "-")}'; }

for ((round = 1; round <= rounds; round++)); do
  echo "round $round of $rounds" >&2
  run_hadal >> "$work/hadal"
  run_peer "$@" >> "$work/peer"
done
printf '%-14s %12s %12s %8s\n' "$format" hadal peer ratio
for name in $(awk '{print $1}' "$work/hadal" | sort -u); do
  a=$(awk -v n="$name" '$1==n{print $2}' "$work/hadal" | median); b=$(awk -v n="$name" '$1==n{print $2}' "$work/peer" | median)
  awk -v n="$name" -v a="$a" -v b="$b" 'BEGIN {printf "%-14s %12.1f %12s %8s\n", n, a, b, (b > 0 ? sprintf("%.2f", a / b) : "-")}'
done
