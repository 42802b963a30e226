#!/usr/bin/env bash
# Makes the collection behind EVALUATION.md in the folder given: prompts, two answers to each, and
# other ways on from within a hundred of the test split's answers. Three to seven hours on two
# cores; started again, it goes on where it stopped.
#
#     data/collect.sh collection
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
out="${1:?usage: data/collect.sh DIR}"
. "$here/sharded.sh"

mkdir -p "$out"
[ -s "$out/prompts.jsonl" ] || python3 "$here/build_prompts.py" "$out/prompts.jsonl"

sharded collect --prompts "$out/prompts.jsonl" --samples 2 --max-tokens 256 --seed 0 --out "$out" \
    --sites layer.0.in,layer.6.in,layer.12.in,layer.18.in,layer.24.in,layer.27.in,final
sharded resample --data "$out" --cuts 105 --samples 16 --max-tokens 96 --out "$out/resamples"
# What alarms are judged on: test answers that turn into others.
sharded read --data "$out" --splices 120 --sites layer.27.in,final --out "$out/splices"
touch "$out/complete" # data/evaluate.sh begins with no less
