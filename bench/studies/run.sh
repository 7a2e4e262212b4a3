#!/usr/bin/env bash
# Runs the studies of docs/results.
#
#   bench/studies/run.sh TEXT OUT [STUDY…]
#
# TEXT is a folder of English books (.txt or .txt.gz; the results are of seven million bytes of public-domain novels and plays); OUT gets tokenizer, run files and studies.
# STUDY is a name of this folder: precision, fp8-alternatives, fp8-floor, balance, balance-fair, mtp, recompute; all of them if none is given. The same command goes on where it stopped.
set -euo pipefail
cd "$(dirname "$0")/../.."
text=$(realpath "$1") out=$2
shift 2
[ $# -gt 0 ] || set -- precision fp8-alternatives fp8-floor balance balance-fair mtp recompute
hadal() { dotnet "$PWD/src/Hadal.Cli/bin/Release/net10.0/hadal.dll" "$@"; }
dotnet build src/Hadal.Cli -c Release -v q
mkdir -p "$out/text"
for file in "$text"/*.txt "$text"/*.txt.gz; do
  [ -e "$file" ] || continue
  name=$(basename "${file%.gz}" .txt)
  # Pieces of 8 KB are documents, so that the validation text is of the same books. They appear all at once.
  compgen -G "$out/text/$name-*.txt" > /dev/null && continue
  rm -rf "$out/pieces" && mkdir "$out/pieces"
  case $file in *.gz) gzip -dc "$file" ;; *) cat "$file" ;; esac | split -C 8192 -d -a 4 --additional-suffix=.txt - "$out/pieces/$name-"
  mv "$out/pieces/$name"-*.txt "$out/text/"
  rmdir "$out/pieces"
done
[ -e "$out/tokenizer/tokenizer.json" ] || hadal tokenizer train "$out/text" --vocab 4096 --out "$out/tokenizer"
cp bench/studies/*.json "$out/"
for study in "$@"; do hadal ablate "$out/$study.json" --out "$out/$study"; done
