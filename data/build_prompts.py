"""Builds the prompt set that the shipped bundles are made from.

    python3 data/build_prompts.py prompts.jsonl

Topics and phrasings written by hand (phrasings.py) and prompts from registry packages
(packages.py), mixed with a fixed seed. Prompts of one group on one topic share a split, so that
none is trained on and judged on (across groups a topic can be in two); whole groups are `held-out`:
never trained on.
"""

import argparse
import hashlib
import json
import os
import random
import sys

import packages
import phrasings

SEED = 2026
# How many prompts every topic gets, each in another phrasing.
PER_TOPIC = 2


def sentence(phrasing: str, topic: str) -> str:
    """A topic in a phrasing, with a capital at its beginning."""
    opens = phrasing.startswith("{}") or ': "{}' in phrasing
    topic = topic[0].upper() + topic[1:] if opens else topic
    return phrasing.format(topic)


def split_of(topic: str) -> str:
    """70 % of the topics train, 15 % choose, 15 % judge."""
    share = int(hashlib.sha256(topic.encode()).hexdigest(), 16) % 100
    return "train" if share < 70 else "validation" if share < 85 else "test"


def phrased(groups: dict, draw: random.Random):
    """(group, prompt, topic) of hand-written groups."""
    for group, (forms, topics) in groups.items():
        for topic in topics.split("|"):
            for form in draw.sample(forms, min(PER_TOPIC, len(forms))):
                yield group, sentence(form, topic), f"{group}/{topic}"


def packaged(groups: dict, draw: random.Random):
    """(group, prompt, topic) of the registry's groups."""
    for group, read in groups.items():
        for prompt in read(draw):
            yield group, prompt, prompt


def prompts() -> list[dict]:
    """Every prompt once, in an order that mixes the groups."""
    draw = random.Random(SEED)
    trained = [*phrased(phrasings.GROUPS, draw), *packaged(packages.TRAINED, draw)]
    held_out = [*phrased(phrasings.HELD_OUT, draw), *packaged(packages.HELD_OUT, draw)]
    rows, seen, numbers = [], set(), {}
    for group, prompt, topic in trained + held_out:
        if prompt in seen:
            continue
        seen.add(prompt)
        numbers[group] = numbers.get(group, 0) + 1
        split = "held-out" if group in {**phrasings.HELD_OUT, **packages.HELD_OUT} else split_of(topic)
        rows.append({"id": f"{group}-{numbers[group]:03}", "prompt": prompt, "group": group, "split": split})
    draw.shuffle(rows)
    return rows


def main() -> None:
    """Writes the prompt set beside the file, then puts it in place."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("out", help="the file to write, JSON lines")
    out = options.parse_args().out
    rows = prompts()
    beside = f"{out}.part"
    with open(beside, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    os.replace(beside, out)
    print(f"{len(rows)} prompts in {len({row['group'] for row in rows})} groups: {out}", file=sys.stderr)


if __name__ == "__main__":
    main()
