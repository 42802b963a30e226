#!/usr/bin/env python3
"""What averaging within segments does, by weight, as `themecast train` reports it: a table.

    data/averaging.py reports/train-seed-2.json > reports/averaging.md

Python 3.9 or later, nothing else.
"""

import json
import sys

HEAD = [
    "forecast",
    "weight of the newest",
    "validation NLL (nats)",
    "total variation between two tokens",
    "segments in which it first names what comes",
    "of them the average names",
    "tokens later",
]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        tried = json.load(file)["smoothing"]
    print("# Averaging within segments\n")
    print(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}")
    for now, name in [(True, "the segment being written"), (False, "coming segments")]:
        rows = [one for one in tried if one["now"] == now]
        named = next(one["lag_segments"] for one in rows if one["weight"] == 1.0)
        best = min(rows, key=lambda one: one["nll_nats"])
        for one in rows:
            cells = [
                name,
                f"{one['weight']:.2f}" + (" (chosen)" if one is best else ""),
                f"{one['nll_nats']:.3f}",
                f"{one['flicker']:.3f}",
                str(named),
                str(one["lag_segments"]),
                f"{one['lag_tokens']:.1f}",
            ]
            print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
