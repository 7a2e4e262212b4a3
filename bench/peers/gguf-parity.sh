#!/usr/bin/env bash
# Runs the same GGUF files in llama.cpp and in Hadal, greedily, and compares token for token.
#
#   bench/peers/gguf-parity.sh PEER_FOLDER [MODEL_FOLDER]
#
# PEER_FOLDER   holds llama-completion and llama-quantize (the bin folder of a llama.cpp build).
# MODEL_FOLDER  a Hugging Face folder with a tokenizer, for instance quickstart/model. Without it: the golden model tiny-v3 (random weights) with a
#               tokenizer trained on the documentation.
#
# Settings through the environment: HADAL (how the program is called), TOKENS (64), PROMPT, KEEP=1 (keep the working folder).
#
# What must hold, or the script ends with 1:
#   1. the F32 file that Hadal writes gives the same tokens in both;
#   2. of every quantised file, whether llama-quantize or Hadal made it, both decode every weight to the same bits, and with those the tokens are the same;
#   3. a quantised file of llama-quantize that Hadal runs as it is gives the tokens that llama.cpp gives with its weights decoded. Its embedding is left in F32
#      for this, so that Hadal keeps its cache in F32, too.
# llama.cpp multiplies blocks with activations rounded to 8 bits, Hadal does not; so the direct runs of one quantised file may part where two tokens are
# almost equally probable, and with random weights they soon do. How far they agree is printed as a note.
set -euo pipefail

[ $# -ge 1 ] || { sed -n '2,/^set/p' "$0" | sed '/^set/d;s/^# \{0,1\}//'; exit 2; }
root=$(cd "$(dirname "$0")/../.." && pwd)
peer=$(cd "$1" && pwd)
model=${2:-}
tokens=${TOKENS:-64}
prompt=${PROMPT:-Returns the number of elements in the list}
read -r -a hadal <<< "${HADAL:-dotnet run -c Release --project $root/src/Hadal.Cli --}"
for tool in llama-completion llama-quantize; do
    [ -x "$peer/$tool" ] || { echo "$peer has no $tool" >&2; exit 2; }
done

work=$(mktemp -d)
[ "${KEEP:-0}" = 1 ] && echo "working in $work" || trap 'rm -rf "$work"' EXIT
failed=0

if [ -z "$model" ]; then
    model=$work/model
    mkdir "$model"
    cp "$root"/tests/golden/tiny-v3/{config.json,model.safetensors} "$model"
    "${hadal[@]}" tokenizer train --vocab 512 --out "$model" "$root/docs" "$root/README.md" 2> /dev/null
fi

# The peer's session file holds prompt and generated tokens: magic, version, count, tokens, 32 bits each.
peer_tokens() { # FILE CACHE_TYPE
    rm -f "$work/session"
    "$peer/llama-completion" -m "$1" -p "$prompt" -n "$tokens" --temp 0 --ignore-eos -c 1024 -t 2 -fa off -ctk "$2" -ctv "$2" --no-warmup -no-cnv \
        --prompt-cache "$work/session" --prompt-cache-all > "$work/peer.out" 2> "$work/peer.err" < /dev/null || { tail -3 "$work/peer.err" >&2; exit 1; }
    local count
    count=$(od -An -t u4 -j 8 -N 4 "$work/session" | tr -d ' ')
    od -An -v -t d4 -w4 -j 12 -N $((4 * count)) "$work/session" | tr -d ' ' | tail -n "$tokens"
}

hadal_tokens() { # FILE
    "${hadal[@]}" generate "$1" --prompt "$prompt" --max-tokens "$tokens" --temperature 0 --threads 2 --json 2> /dev/null \
        | tr -d ' \n' | sed 's/.*"tokens":\[\([0-9,]*\)\].*/\1/' | tr ',' '\n'
}

agreement() { # FILE_A FILE_B: how many tokens agree before the first that does not
    paste "$1" "$2" | awk '$1 != $2 { exit } { n++ } END { print n + 0 }'
}

compare() { # LABEL FILE_A FILE_B REQUIRED
    local n
    n=$(agreement "$2" "$3")
    if [ "$n" -ge "$tokens" ]; then echo "ok    $1: $n of $tokens tokens are the same"
    elif [ "$4" = required ]; then echo "FAIL  $1: only $n of $tokens tokens are the same"; failed=1
    else echo "note  $1: $n of $tokens tokens are the same, then they part"; fi
}

f32=$work/f32.gguf
"${hadal[@]}" convert "$model" "$f32" --weights f32 2> /dev/null
peer_tokens "$f32" f32 > "$work/peer.f32"
hadal_tokens "$f32" > "$work/hadal.f32"
compare "F32 file written by Hadal" "$work/peer.f32" "$work/hadal.f32" required

decoded() { # FILE: as F32, by llama.cpp
    "$peer/llama-quantize" --allow-requantize "$1" "$work/wide.gguf" F32 > "$work/quantize.log" 2>&1 || { tail -3 "$work/quantize.log" >&2; exit 1; }
    peer_tokens "$work/wide.gguf" f32 > "$work/peer.wide"
}

check() { # LABEL FILE
    if ! "${hadal[@]}" inspect "$2" > /dev/null 2> "$work/inspect.err"; then
        echo "skip  $1: $(sed 's/^error: [^:]*: //' "$work/inspect.err" | head -1)"
        return 1
    fi
    decoded "$2"
    for side in wide quantised; do
        rm -rf "${work:?}/$side"
        "${hadal[@]}" convert "$([ $side = wide ] && echo "$work/wide.gguf" || echo "$2")" "$work/$side" --weights f32 2> /dev/null
    done
    if diff -rq -x config.json "$work/wide" "$work/quantised" > /dev/null; then echo "ok    $1: every weight is decoded to the same bits"
    else echo "FAIL  $1: weights are decoded differently"; failed=1; fi
    hadal_tokens "$work/wide.gguf" > "$work/hadal.wide"
    compare "$1, weights decoded" "$work/peer.wide" "$work/hadal.wide" required
    # Hadal keeps the cache of such files in BF16, so the peer does, too.
    peer_tokens "$2" bf16 > "$work/peer.direct"
    hadal_tokens "$2" > "$work/hadal.direct"
    compare "$1, as it is, against llama.cpp with 8-bit activations" "$work/peer.direct" "$work/hadal.direct" optional
}

for type in Q8_0 Q4_0 Q4_K_M Q5_K_M; do
    "$peer/llama-quantize" "$f32" "$work/peer.gguf" $type > "$work/quantize.log" 2>&1 || { tail -3 "$work/quantize.log" >&2; exit 1; }
    check "$type file written by llama-quantize" "$work/peer.gguf" || continue
    "$peer/llama-quantize" --token-embedding-type f32 "$f32" "$work/peer.gguf" $type > "$work/quantize.log" 2>&1 || { tail -3 "$work/quantize.log" >&2; exit 1; }
    decoded "$work/peer.gguf"
    hadal_tokens "$work/peer.gguf" > "$work/hadal.direct"
    compare "$type file written by llama-quantize, as it is, against its weights decoded" "$work/peer.wide" "$work/hadal.direct" required
done

for type in q8_0 q4_0 q4_k_m; do
    "${hadal[@]}" convert "$model" "$work/mine.gguf" --weights $type 2> /dev/null
    check "$type file written by Hadal" "$work/mine.gguf" || failed=1
done

for type in f16 bf16; do
    "${hadal[@]}" convert "$model" "$work/mine.gguf" --weights $type 2> /dev/null
    peer_tokens "$work/mine.gguf" bf16 > "$work/peer.direct"
    hadal_tokens "$work/mine.gguf" > "$work/hadal.direct"
    compare "$type file written by Hadal" "$work/peer.direct" "$work/hadal.direct" optional
done

[ $failed = 0 ] && echo "parity holds" || echo "parity does not hold"
exit $failed
