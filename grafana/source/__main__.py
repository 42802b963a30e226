"""Writes dashboards/*.json; with --check only says whether they are up to date."""

import argparse
import difflib
import json
import sys
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from . import alarms, drift, overview, trajectories

FOLDER = Path(__file__).parent.parent / "dashboards"


def generated():
    """Every dashboard's text by its file."""
    texts = {}
    for room in (overview, trajectories, drift, alarms):
        dashboard = room.dashboard().build()
        for number, panel in enumerate(dashboard.panels, start=1):
            panel.id_val = number
        text = json.dumps(dashboard, cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False)
        texts[FOLDER / f"{dashboard.uid}.json"] = text + "\n"
    return texts


def check(texts):
    """How the folder differs from what is generated, as lines."""
    lines = [f"{file.name} has no source" for file in FOLDER.glob("*.json") if file not in texts]
    for file, text in texts.items():
        there = file.read_text() if file.exists() else ""
        names = (file.name, "generated")
        lines += difflib.unified_diff(there.splitlines(), text.splitlines(), *names, lineterm="")
    return lines


def main():
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m source", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit 1 if not up to date"
    )
    texts = generated()
    if parser.parse_args().check:
        differences = check(texts)
        if differences:
            print(
                "\n".join(differences),
                "\nnot up to date: run `python -m source`",
                sep="\n",
                file=sys.stderr,
            )
            sys.exit(1)
        return
    for file, text in texts.items():
        file.write_text(text)
        print(file.relative_to(FOLDER.parent))


if __name__ == "__main__":
    main()
