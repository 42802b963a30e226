#!/usr/bin/env python3
"""Puts the tables of reports that data/evaluate.sh made into EVALUATION.md.

    data/tables.py reports EVALUATION.md             writes them into the file
    data/tables.py --check reports EVALUATION.md     exits 1 where the file's are others

In the file a table stands between two comments. The first names the report, the beginning of the
heading above the table there and, where not all rows are wanted, a column and what may stand in it
(a column of seconds is left out, since it is never the same twice):

    <!-- chain.md / Against what a reader said / model: themecast; text: TF-IDF -->
    <!-- end -->

Words are never touched; a report that was not made leaves its tables as they are, and says so.
Python 3.9 or later, nothing else.
"""

import argparse
import os
import re
import sys
from pathlib import Path

BLOCK = re.compile(
    r"(?P<begin>^<!-- (?P<source>\S+\.md / [^\n]*) -->\n).*?(?P<end>^<!-- end -->$)", re.DOTALL | re.MULTILINE
)


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def table(report, heading):
    """The lines of the first table under the heading that begins so."""
    lines = report.splitlines()
    above = (at for at, line in enumerate(lines) if line.startswith("#"))
    starts = [at for at in above if lines[at].lstrip("# ").startswith(heading)]
    if not starts:
        raise SystemExit(f"no heading begins with {heading!r}")
    found = []
    for line in lines[starts[0] + 1 :]:
        if line.startswith("|"):
            found.append(line)
        elif found or line.startswith("#"):
            break
    if not found:
        raise SystemExit(f"no table stands under {heading!r}")
    return found


def chosen(lines, condition):
    """The head and the rows in whose column stands one of what is wanted."""
    column, wanted = condition.split(": ", 1)
    head = cells(lines[0])
    if column not in head:
        raise SystemExit(f"no column {column!r} among {head}")
    at, wanted = head.index(column), wanted.split("; ")
    if unmatched := set(wanted) - {cells(line)[at] for line in lines[2:]}:
        raise SystemExit(f"no row has {sorted(unmatched)} in column {column!r}")
    return lines[:2] + [line for line in lines[2:] if cells(line)[at] in wanted]


def without(lines, column):
    """The table without a column that differs from run to run."""
    head = cells(lines[0])
    if column not in head:
        return lines
    at = head.index(column)
    rows = ([cell for place, cell in enumerate(cells(line)) if place != at] for line in lines)
    return ["| " + " | ".join(row) + " |" if set(row[0]) != {"-"} else "|" + "---|" * len(row) for row in rows]


def filled(text, reports, missing):
    def fill(block):
        name, heading, *conditions = block["source"].split(" / ")
        path = reports / name
        if not path.is_file():
            missing.add(name)
            return block[0]
        lines = table(path.read_text(encoding="utf-8"), heading)
        for condition in conditions:
            lines = chosen(lines, condition)
        lines = without(lines, "seconds")
        return block["begin"] + "\n".join(lines) + "\n" + block["end"]

    return BLOCK.sub(fill, text)


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--check", action="store_true", help="write nothing, compare")
    options.add_argument("reports", type=Path)
    options.add_argument("document", type=Path)
    options = options.parse_args()
    before = options.document.read_text(encoding="utf-8")
    missing = set()
    after = filled(before, options.reports, missing)
    for name in sorted(missing):
        print(f"{name} was not made: its tables stay as they are", file=sys.stderr)
    if options.check:
        pairs = zip(before.splitlines(), after.splitlines())
        for old, new in (pair for pair in pairs if pair[0] != pair[1]):
            print(f"- {old}\n+ {new}")
        sys.exit(before != after or bool(missing))
    beside = options.document.with_suffix(".part")
    beside.write_text(after, encoding="utf-8")
    os.replace(beside, options.document)


if __name__ == "__main__":
    main()
