#!/usr/bin/env bash
# Decodes with a checkpoint several times the memory allowed, and compares: the same tokens as in memory, the share of the disk's measured rate,
# and the expert cache against plain memory mapping. Linux; needs root for the memory limit and for dropping the file cache.
#
#   bench/larger-than-memory.sh DIR [MEMORY_MIB] [TOKENS] [SKEW] [SHAPE]
#
#   DIR         working folder with room for the checkpoint (3.4 GB with the default shape); the checkpoint is deleted afterwards unless KEEP=1
#   MEMORY_MIB  memory the operating system allows the process, 806 by default: a quarter of the default checkpoint
#   TOKENS      tokens decoded behind as many that warm up, 64 by default
#   SKEW        how unevenly experts are loaded, 0.03 by default
#   SHAPE       a config.json, bench/shapes/many-experts.json by default
#   HADAL       how hadal is called, "dotnet src/Hadal.Cli/bin/Release/net10.0/hadal.dll" by default
#   RUNS        runs of each kind, 3 by default; the medians count
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
dir=${1:?"usage: $0 DIR [MEMORY_MIB] [TOKENS] [SKEW] [SHAPE]"}
mib=${2:-806} tokens=${3:-64} skew=${4:-0.03} shape=${5:-$root/bench/shapes/many-experts.json}
hadal=${HADAL:-dotnet $root/src/Hadal.Cli/bin/Release/net10.0/hadal.dll}
runs=${RUNS:-3}
mkdir -p "$dir"
model=$dir/model

# The limit that the process is told leaves the operating system's own share of the group: page tables, and the file cache that the runtime's code lives in.
allowed=$((mib - mib / 16))M
group=
enforce() { # runs a command under the limit
  if [ -w /sys/fs/cgroup/memory ]; then
    group=/sys/fs/cgroup/memory/hadal-$$
    mkdir -p "$group"
    echo "${mib}M" > "$group/memory.limit_in_bytes"
    ( echo "$BASHPID" > "$group/cgroup.procs"; exec "$@" )
  elif [ -f /sys/fs/cgroup/cgroup.controllers ] && mkdir -p /sys/fs/cgroup/hadal-$$ 2>/dev/null && [ -w /sys/fs/cgroup/hadal-$$/memory.max ]; then
    group=/sys/fs/cgroup/hadal-$$
    echo "${mib}M" > "$group/memory.max"
    ( echo "$BASHPID" > "$group/cgroup.procs"; exec "$@" )
  elif command -v systemd-run > /dev/null && systemctl is-system-running > /dev/null 2>&1; then
    systemd-run --quiet --scope -p "MemoryMax=${mib}M" -p MemorySwapMax=0 "$@"
  else
    echo "no way to limit memory: run as root, with control groups or systemd" >&2
    return 1
  fi
}
cleanup() {
  [ -n "${KEEP:-}" ] || rm -rf "$model"
  for g in /sys/fs/cgroup/memory/hadal-$$ /sys/fs/cgroup/hadal-$$; do [ -d "$g" ] && rmdir "$g" || true; done
}
trap cleanup EXIT
forget() { sync; echo 3 > /proc/sys/vm/drop_caches; }
field() { sed -n "s/.*\"$2\": *\([0-9.eE+-]*\|null\).*/\1/p" "$1" | head -1; }
median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
list() { tr -d ' \n' < "$1" | sed 's/.*"tokens":\[\([^]]*\)\].*/\1/'; }

[ -d "$model" ] || $hadal bench --shape "$shape" --keep "$model" --skew "$skew" --prefill 0 --decode 0 > /dev/null
bytes=$(du -sb "$model" | cut -f1)
echo "checkpoint $((bytes >> 20)) MiB, allowed $mib MiB: $(awk "BEGIN { printf \"%.1f\", $bytes / 1048576 / $mib }") times the memory"

$hadal bench experts "$model" --decode "$tokens" --json > "$dir/memory.json" 2> /dev/null
echo "in memory: $(field "$dir/memory.json" tokens_per_second) tokens/s"
expected=$(list "$dir/memory.json")
for ((i = 1; i <= runs; i++)); do
  for kind in cached mapped; do
    flags=; [ $kind = mapped ] && flags=--mapped
    forget
    enforce $hadal bench experts "$model" --decode "$tokens" --memory "$allowed" $flags --json > "$dir/$kind.$i.json" 2> "$dir/$kind.$i.log" \
      || { cat "$dir/$kind.$i.log"; exit 1; }
    [ "$(list "$dir/$kind.$i.json")" = "$expected" ] && same="same tokens" || { echo "$kind: OTHER TOKENS than in memory"; exit 1; }
    f=$dir/$kind.$i.json
    echo "$kind, run $i: $(field "$f" tokens_per_second) tokens/s, $same, disk $(field "$f" disk_gb_per_s) GB/s, share $(field "$f" share_of_disk)," \
      "hit rate $(field "$f" hit_rate), prefetch accuracy $(field "$f" prefetch_accuracy), waiting $(field "$f" disk_share)"
  done
done
[ -n "$group" ] && echo "memory limited by $group"
cached=$(for ((i = 1; i <= runs; i++)); do field "$dir/cached.$i.json" tokens_per_second; done | median)
mapped=$(for ((i = 1; i <= runs; i++)); do field "$dir/mapped.$i.json" tokens_per_second; done | median)
share=$(for ((i = 1; i <= runs; i++)); do field "$dir/cached.$i.json" share_of_disk; done | median)
awk "BEGIN { printf \"medians: cache %.2f tokens/s, mapping %.2f tokens/s, ratio %.2f; %.0f%% of what the disk allows for the bytes missed\n\", $cached, $mapped, $cached / $mapped, 100 * $share }"
