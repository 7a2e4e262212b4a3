#!/usr/bin/env bash
# Speed of training beside PyTorch eager on the same configuration, in alternating runs; prints the medians and their ratio.
#
#   bench/peers/train.sh [RUN] [PRECISION] [ROUNDS]
#
# RUN        run file, default bench/shapes/train.json; its data and tokenizer are not needed
# PRECISION  fp32, bf16 or fp8; the peer of fp8 is its bf16
# STEPS      environment: timed steps of a run, after one that is not (default 2)
# THREADS    environment: threads of both (default 2)
# PEER       environment: options of the peer, for instance "--precision bf16-weights" or "--micro 2"
# PYTHON     environment: a Python with torch (default /usr/bin/python3)
#
# The peer gets what is known to help it: OpenBLAS with its widest kernels, and an allocator that keeps memory instead of giving it back after every operation
# (glibc: no mmap, no trimming, large pages).
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
run=${1:-$here/bench/shapes/train.json}; precision=${2:-bf16}; rounds=${3:-3}
steps=${STEPS:-2}; threads=${THREADS:-2}
hadal="dotnet $here/src/Hadal.Cli/bin/Release/net10.0/hadal.dll"
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
peer_precision=$precision; [ "$precision" = fp8 ] && peer_precision=bf16

# Lines "name value".
fields() { grep -oE "\"($1)\": *[0-9.eE+]+" | tr -d '" ' | tr ':' ' '; }
run_hadal() { $hadal bench train --config "$run" --precision "$precision" --steps "$steps" --threads "$threads" --json 2>/dev/null | fields 'tokens_per_second|peak_memory_bytes|share_of_gemm_peak'; }
run_peer() {
  OPENBLAS_CORETYPE=${OPENBLAS_CORETYPE:-SKYLAKEX} MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=17179869184 MALLOC_TOP_PAD_=268435456 GLIBC_TUNABLES=glibc.malloc.hugetlb=1 \
    "${PYTHON:-/usr/bin/python3}" "$here/bench/peers/train_peer.py" "$run" --precision "$peer_precision" --steps "$steps" --threads "$threads" ${PEER:-} 2>/dev/null | fields 'tokens_per_second|peak_memory_bytes'
}
median() { sort -g | awk '{v[NR]=$1} END {print (NR ? v[int((NR + 1) / 2)] : "-")}'; }

for ((round = 1; round <= rounds; round++)); do
  echo "round $round of $rounds" >&2
  run_hadal >> "$work/hadal"
  run_peer >> "$work/peer"
done
printf '%-22s %14s %14s %8s\n' "$precision" hadal peer ratio
for name in tokens_per_second peak_memory_bytes share_of_gemm_peak; do
  a=$(awk -v n="$name" '$1==n{print $2}' "$work/hadal" | median); b=$(awk -v n="$name" '$1==n{print $2}' "$work/peer" | median)
  awk -v n="$name" -v a="$a" -v b="$b" 'BEGIN {printf "%-22s %14.6g %14s %8s\n", n, a, b, (b > 0 ? sprintf("%.2f", a / b) : "-")}'
done
