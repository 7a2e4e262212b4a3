#!/usr/bin/env bash
# Runs the same GGUF files in llama.cpp and in Hadal, greedily, and compares token for token.
#
#   bench/peers/gguf-parity.sh PEER_FOLDER [MODEL_FOLDER]
#
# PEER_FOLDER   holds llama-completion and llama-quantize (the bin folder of a llama.cpp build).
# MODEL_FOLDER  a Hugging Face folder with a tokenizer, for instance quickstart/model. Without it: the golden model tiny-v3 (random weights) with a
#               tokenizer trained on the documentation.
#
# Settings through the environment: HADAL (how the program is called), TOKENS (64), PROMPTS (one a line), KEEP=1 (keep the working folder).
#
# Files go both ways: Hadal writes some that llama.cpp runs, llama-quantize writes some (from Hadal's F32 file) that Hadal runs. What must hold, or the script
# ends with 1, for every prompt and all tokens:
#   1. F32, F16 and BF16 files of either program give the same tokens in both;
#   2. of every quantised file of either program, both decode every weight to the same bits, and with those in FP32 the tokens are the same.
# Run as it is, a quantised file meets activations that each program rounds to 8 bits in its own way: Hadal per block of the weights' format, llama.cpp per 32
# or 256. So those runs may part where two tokens are almost equally probable; how far they agree is printed as a note. To see it, take a model whose rows
# are multiples of 256, or K-quants become Q5_0 and Q8_0.
set -euo pipefail

[ $# -ge 1 ] || { sed -n '2,/^set/p' "$0" | sed '/^set/d;s/^# \{0,1\}//'; exit 2; }
root=$(cd "$(dirname "$0")/../.." && pwd)
peer=$(cd "$1" && pwd)
model=${2:-}
tokens=${TOKENS:-64}
mapfile -t prompts <<< "${PROMPTS:-$'Returns the number of elements in the list\nInitializes a new instance of the\nThe stream was closed before'}"
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

# Both print a line "number of the prompt, token" for each token.
# The peer's session file holds prompt and generated tokens: magic, version, count, tokens, 32 bits each.
peer_tokens() { # FILE CACHE_TYPE
    local i count
    for i in "${!prompts[@]}"; do
        rm -f "$work/session"
        "$peer/llama-completion" -m "$1" -p "${prompts[i]}" -n "$tokens" --temp 0 --ignore-eos -c 1024 -t 2 -fa off -ctk "$2" -ctv "$2" --no-warmup -no-cnv \
            --prompt-cache "$work/session" --prompt-cache-all > "$work/peer.out" 2> "$work/peer.err" < /dev/null || { tail -3 "$work/peer.err" >&2; exit 1; }
        count=$(od -An -t u4 -j 8 -N 4 "$work/session" | tr -d ' ')
        od -An -v -t d4 -w4 -j 12 -N $((4 * count)) "$work/session" | tr -d ' ' | tail -n "$tokens" | sed "s/^/$i /"
    done
}

hadal_tokens() { # FILE
    local i
    for i in "${!prompts[@]}"; do
        "${hadal[@]}" generate "$1" --prompt "${prompts[i]}" --max-tokens "$tokens" --temperature 0 --threads 2 --json 2> /dev/null \
            | tr -d ' \n' | sed 's/.*"tokens":\[\([0-9,]*\)\].*/\1\n/' | tr ',' '\n' | sed "s/^/$i /"
    done
}

# Of each prompt how many tokens agree before the first that does not; then the least of these numbers.
agreement() { # FILE_A FILE_B
    paste -d ' ' "$1" "$2" | awk -v prompts="${#prompts[@]}" '
        { if ($1 != $3 || $2 != $4) parted[$1] = 1; if (!parted[$1]) n[$1]++ }
        END { least = n[0] + 0; text = least; for (i = 1; i < prompts; i++) { text = text ", " n[i] + 0; if (n[i] + 0 < least) least = n[i] + 0 } print least ":" text }'
}

compare() { # LABEL FILE_A FILE_B REQUIRED
    local result
    result=$(agreement "$2" "$3")
    if [ "${result%%:*}" -ge "$tokens" ]; then echo "ok    $1: all of $tokens tokens are the same"
    elif [ "$4" = required ]; then echo "FAIL  $1: only ${result#*:} of $tokens tokens are the same"; failed=1
    else echo "note  $1: ${result#*:} of $tokens tokens are the same, then they part"; fi
}

f32=$work/f32.gguf
"${hadal[@]}" convert "$model" "$f32" --weights f32 2> /dev/null
peer_tokens "$f32" f32 > "$work/peer.f32"
hadal_tokens "$f32" > "$work/hadal.f32"
compare "F32 file written by Hadal" "$work/peer.f32" "$work/hadal.f32" required
echo "      (different tokens in the answers: $(for i in "${!prompts[@]}"; do grep "^$i " "$work/hadal.f32" | sort -u | wc -l; done | paste -sd,))"

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
    # Hadal keeps its cache in BF16 where the embedding is not F32, so the peer does, too.
    peer_tokens "$2" bf16 > "$work/peer.direct"
    hadal_tokens "$2" > "$work/hadal.direct"
    compare "$1, as it is, against llama.cpp with 8-bit activations" "$work/peer.direct" "$work/hadal.direct" optional
}

quantise() { # TYPE, with further options of llama-quantize before it
    "$peer/llama-quantize" "${@:1:$#-1}" "$f32" "$work/peer.gguf" "${!#}" > "$work/quantize.log" 2>&1 || { tail -3 "$work/quantize.log" >&2; exit 1; }
}

for type in Q8_0 Q4_0 Q4_K_M Q5_K_M Q6_K; do
    quantise $type
    check "$type file written by llama-quantize" "$work/peer.gguf" || true
done

for type in q8_0 q4_0 q4_k_m; do
    "${hadal[@]}" convert "$model" "$work/mine.gguf" --weights $type 2> /dev/null
    check "$type file written by Hadal" "$work/mine.gguf" || failed=1
done

# With the embedding not in F32, Hadal keeps its cache in BF16, and so does the peer.
for type in F16 BF16; do
    quantise $type
    "${hadal[@]}" convert "$model" "$work/mine.gguf" --weights ${type,,} 2> /dev/null
    for file in peer mine; do
        peer_tokens "$work/$file.gguf" bf16 > "$work/peer.direct"
        hadal_tokens "$work/$file.gguf" > "$work/hadal.direct"
        compare "$type file written by $([ $file = peer ] && echo llama-quantize || echo Hadal)" "$work/peer.direct" "$work/hadal.direct" required
    done
done

[ $failed = 0 ] && echo "parity holds" || echo "parity does not hold"
exit $failed
