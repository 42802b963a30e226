#!/usr/bin/env bash
# Makes the collection of the second model, its bundle and its tables of EVALUATION.md: answers of
# Qwen2.5-Coder-1.5B-Instruct to the first PROMPTS that are not held out, labelled as those of the default
# model are, and bundles trained on them: linear heads, which are shipped
# (bundles/qwen2.5-coder-1.5b-instruct/linear), and a chain to hold against them, in REPORTS/bundles.
# Judged alone are answers to the first HELD_OUT prompts of each group that is held out, and answers that
# turn into SPLICES others. Three hours on two cores; started again, it goes on where it stopped, with
# more PROMPTS too (splices are made anew then).
#
#     data/second.sh collection reports
#     data/tables.py --check reports EVALUATION.md
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
data="${1:?usage: data/second.sh COLLECTION REPORTS}"
out="${2:?usage: data/second.sh COLLECTION REPORTS}"
. "$here/sharded.sh"
mkdir -p "$data" "$out/bundles"

[ -s "$data/prompts.jsonl" ] || python3 "$here/build_prompts.py" "$data/prompts.jsonl"
grep -v '"split": "held-out"' "$data/prompts.jsonl" > "$data/in-distribution.jsonl"
head -n "${PROMPTS:-480}" "$data/in-distribution.jsonl" > "$data/first.jsonl"
for group in odd speech language; do
    grep -m "${HELD_OUT:-20}" "\"group\": \"$group\"" "$data/prompts.jsonl" >> "$data/first.jsonl"
done
sharded collect --model qwen2.5-coder-1.5b --prompts "$data/first.jsonl" --samples 1 \
    --max-tokens 160 --seed 0 --sites layer.22.in,final --out "$data"
splices="$data/splices-${PROMPTS:-480}-${SPLICES:-40}"
sharded read --model qwen2.5-coder-1.5b --data "$data" --splices "${SPLICES:-40}" --sites final \
    --out "$splices"
unset RAYON_NUM_THREADS

"$themecast" label --data "$data"
"$themecast" train --data "$data" --sites final --predictor linear --watch \
    --out "$out/bundles/second-linear" > "$out/train-second-linear.json"
"$themecast" train --data "$data" --sites final --predictor chain \
    --out "$out/bundles/second-chain" > "$out/train-second-chain.json"
"$themecast" eval --data "$data" --bundle "$out/bundles/second-linear" --record \
    --other-bundle "$out/bundles/second-chain" --curve-draws 3 \
    --html "$out/second.html" --json "$out/second.json" > "$out/second.md.part"
mv "$out/second.md.part" "$out/second.md"
"$themecast" eval --data "$data" --bundle "$out/bundles/second-linear" --phrases --record \
    > "$out/second-phrases.md.part"
mv "$out/second-phrases.md.part" "$out/second-phrases.md"
"$themecast" alarms --model qwen2.5-coder-1.5b --data "$data" --splices "$splices" \
    --bundle "$out/bundles/second-linear" > "$out/second-alarms.md.part"
mv "$out/second-alarms.md.part" "$out/second-alarms.md"
"$here/recipe.py" "$themecast" serve --model qwen2.5-coder-1.5b > "$out/second-recipes.md.part"
mv "$out/second-recipes.md.part" "$out/second-recipes.md"
