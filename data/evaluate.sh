#!/usr/bin/env bash
# Makes the marked tables of EVALUATION.md about the default model: from the collection that
# data/collect.sh made, into the folder REPORTS, as Markdown, JSON and, where there are plots, HTML. Copies
# of the shipped bundles with what was measured on their cards lie in REPORTS/bundles, to be shipped.
# Some hours on two cores; started again, it goes on after the last report that was finished, so new
# labels or bundles need a folder of their own. Bash reads a script while it runs: leave this one alone
# until it has ended, or run a copy of this repository.
#
#     data/evaluate.sh collection reports
#     data/tables.py --check reports EVALUATION.md      # what differs from what is committed
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
data="${1:?usage: data/evaluate.sh COLLECTION REPORTS}"
out="${2:?usage: data/evaluate.sh COLLECTION REPORTS}"
themecast="${THEMECAST:-themecast}"
shipped="$here/../bundles/smollm2-135m-instruct"
[ -e "$data/complete" ] || { echo "$data is not complete: run data/collect.sh on it to its end" >&2; exit 1; }
mkdir -p "$out/bundles"
for name in chain chain-text; do
    [ -d "$out/bundles/$name" ] && continue
    rm -rf "$out/bundles/$name.part"
    cp -r "$shipped/$name" "$out/bundles/$name.part"
    mv "$out/bundles/$name.part" "$out/bundles/$name"
done

# step NAME ARGUMENTS…: one report, unless it is there; "{}" is where its other forms go.
step() {
    local name="$1"; shift
    [ -s "$out/$name.md" ] && return
    echo "== $name ($SECONDS s)" >&2
    "$themecast" "${@//\{\}/$out/$name}" > "$out/$name.md.part"
    mv "$out/$name.md.part" "$out/$name.md"
}

# bundle NAME SITES ARGUMENTS…: trains one, unless it is there.
bundle() {
    local name="$1" sites="$2"; shift 2
    [ -d "$out/bundles/$name" ] && return
    echo "== training $name ($SECONDS s)" >&2
    rm -rf "$out/bundles/$name.part"
    "$themecast" train --data "$data" --sites "$sites" --out "$out/bundles/$name.part" "$@" \
        > "$out/train-$name.json"
    mv "$out/bundles/$name.part" "$out/bundles/$name"
}

# Labels: learnt from what was read. Everything else needs them.
step labels label --data "$data" --method llm --answers "$here/answers.jsonl"
python3 - "$data/labels/labels.json" <<'PY'
import json, sys
segments = json.load(open(sys.argv[1]))["segments"]
if segments != 14792:
    sys.exit(f"{segments} segments, not the 14,792 that EVALUATION.md and the shipped bundles are about: "
             "the collection holds other answers, so train the shipped bundles on it as well")
PY

# The shipped bundles beside every baseline, phrases, alarms.
forecasts() {
    step chain eval --data "$data" --bundle "$out/bundles/chain" --record --answers "$here/answers.jsonl" \
        --curve-draws 3 --html {}.html --json {}.json
    step phrases eval --data "$data" --bundle "$out/bundles/chain" --phrases --record
    step chain-text eval --data "$data" --bundle "$out/bundles/chain-text" --record \
        --answers "$here/answers.jsonl" --curve-draws 0 --html {}.html --json {}.json
    turned
    layers
}

# Other seeds, other kinds, the shipped one's kin at the last norm with z-scores, where the chain shipped
# before looked (final-chain); then the methods of labelling beside each other, sites, another model.
rest() {
    local name others=()
    for seed in 2 3; do bundle "seed-$seed" layer.27.in --layer-norm --predictor chain --seed "$seed"; done
    bundle linear layer.27.in --layer-norm --predictor linear
    bundle closed-form layer.27.in --layer-norm --predictor closed-form
    bundle text layer.27.in --predictor text
    bundle final-chain final --predictor chain
    for name in chain-text seed-2 seed-3 linear closed-form text final-chain; do
        others+=(--other-bundle "$out/bundles/$name")
    done
    step bundles eval --data "$data" --bundle "$out/bundles/chain" --quick "${others[@]}" \
        --answers "$here/answers.jsonl"
    # What averaging does was told when the second seed was trained.
    python3 "$here/averaging.py" "$out/train-seed-2.json" > "$out/averaging.md.part"
    mv "$out/averaging.md.part" "$out/averaging.md"
    step labels-compared label --data "$data" --compare --method llm --answers "$here/answers.jsonl" \
        --against "$here/answers-second.jsonl" --html {}.html
    # The same with the 1.5B model's answers beside the readers', by the classifier that is shipped.
    step labels-small label --data "$data" --compare --method llm --classifier "$here/labeller.json" \
        --against "$here/answers-qwen-1.5b.jsonl" --against "$here/answers.jsonl" --html {}.html
    step boundaries label --data "$data" --boundaries
    step sweep sweep --data "$data"
    if [ ! -s "$out/recipes.md" ]; then
        "$here/recipe.py" "$themecast" serve > "$out/recipes.md.part"
        mv "$out/recipes.md.part" "$out/recipes.md"
    fi
    read_by
}

# Every second layer, on fewer answers: the model reads them again, dequantised, a text in one product
# of matrices a layer.
layers() {
    CANDLE_DEQUANTIZE_ALL=1 "$themecast" read --data "$data" --documents 400 \
        --sites "$(printf 'layer.%d.in,' {0..28..2})layer.29.in,final" --out "$data/layers"
    rm -rf "$data/layers/labels"
    cp -r "$data/labels" "$data/layers/labels"
    step layers sweep --data "$data/layers"
}

# Alarms: answers that turn into others (data/collect.sh made them), and such that the model, steered,
# turns itself, or is told to change the subject.
turned() {
    "$themecast" resample --data "$data" --cuts 105 --samples 1 --before 2 --max-tokens 110 --sites layer.27.in,final \
        --lean steps,events --at layer.12.in --strength 0.4 --out "$out/steered"
    python3 - "$data/prompts.jsonl" > "$out/system.jsonl" <<'PY'
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
for row in [row for row in rows if row.get("split") == "test"][:200:4][:44]:
    row["system"] = "Answer in two sentences, then change the subject to football and stay with it."
    print(json.dumps(row))
PY
    "$themecast" collect --prompts "$out/system.jsonl" --samples 1 --max-tokens 170 --seed 0 --sites layer.27.in,final \
        --out "$data/system"
    step alarms alarms --data "$data" --splices "$data/splices" --bundle "$out/bundles/chain" \
        --planted steered="$out/steered" --planted system-prompt="$data/system" --json {}.json --html {}.html
}

# The road not taken: what another model's activations tell that reads the same texts. Dequantised
# (2 GB), a text is one product of matrices a layer, not one of a vector a token.
read_by() {
    CANDLE_DEQUANTIZE_ALL=1 "$themecast" read --data "$data" --model qwen2.5-coder-0.5b --documents 600 \
        --sites layer.0.in,layer.5.in,layer.10.in,layer.14.in,layer.19.in,layer.22.in,final \
        --out "$data/read-0.5b"
    step read-by eval --data "$data" --read-by "$data/read-0.5b" --json {}.json
}

# In a shell of its own each, or an error would not end it.
(forecasts) & pids=($!)
(rest) & pids+=($!)
failed=0
for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
exit "$failed"
