#!/usr/bin/env python3
"""Prints what a server streams beside the answers to recipe prompts: EVALUATION.md, "The stream of a recipe".

    data/recipe.py http://127.0.0.1:8080                            a server that runs
    data/recipe.py themecast serve --model qwen2.5-coder-1.5b       one that is started and stopped here

A row is what the first token of a segment carries (`"every": "segment"`); themes of less than 0.09 are
left out. At temperature 0 one model on one machine writes the same each time.
Python 3.9 or later, nothing else.
"""

import argparse
import contextlib
import json
import re
import subprocess
import sys
import threading
import urllib.request

PROMPTS = [
    "Recipe for chocolate chip cookies, ingredients first, then step by step instructions.",
    "Write a recipe for pancakes: first the ingredients, then the steps.",
    "How do I make tomato soup? List the ingredients, then the instructions.",
    "Give me a recipe for banana bread with a list of ingredients and the method.",
    "Write a short recipe for vegetable curry: what I need, then what to do.",
    "Lasagna recipe: ingredients and directions.",
]
LEAST = 0.09
READY = re.compile(r"ready: .* on (http://\S+)")


def themes(told):
    return ", ".join(f"{one['theme']} {one['p']:.2f}" for one in told if one["p"] >= LEAST)


def annotations(url, prompt):
    """The text before each annotation, and the annotation."""
    body = {
        "model": "default",
        "messages": [{"role": "user", "content": prompt}],
        "temperature": 0,
        "frequency_penalty": 0.5,
        "max_tokens": 220,
        "stream": True,
        "themecast": {"every": "segment", "top": 3},
    }
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(url + "/v1/chat/completions", json.dumps(body).encode(), headers)
    text = ""
    with urllib.request.urlopen(request) as lines:
        for line in lines:
            if not line.startswith(b"data: {"):
                continue
            chunk = json.loads(line[len(b"data: ") :])
            for choice in chunk.get("choices", []):
                told = choice.get("themecast") or chunk.get("themecast")
                if told and "next" in told:
                    yield text, told
                text += choice.get("delta", {}).get("content") or ""


@contextlib.contextmanager
def serving(command):
    """The address of the server that `command` starts; it is stopped in the end."""
    server = subprocess.Popen([*command, "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
    try:
        found = (READY.search(line) for line in server.stderr)
        address = next((match[1] for match in found if match), None)
        if address is None:
            sys.exit(f"{' '.join(command)} ended before it was ready")
        threading.Thread(target=server.stderr.read, daemon=True).start()
        yield address
    finally:
        server.terminate()
        server.wait()


def share(counted):
    count, of = sum(counted), len(counted)
    return f"{count} of {of}" if of else "–"


def told_by(url):
    """The reports of the prompts: a table each, and what comes of the rows that say "materials now"."""
    print("# Recipes: what the first token of each segment carries")
    first, second = [], []
    for prompt in PROMPTS:
        print(f"\n## {prompt}\n\n| written so far | now | next | two ahead |\n|---|---|---|---|")
        for text, told in annotations(url, prompt):
            written = " ".join(text.split()).replace("|", "/")
            if len(written) > 60:
                written = "… " + written[-60:].partition(" ")[2]
            coming = [step["top"] for step in told["next"][:2]]
            print(f"| {written} | {themes(told['now'])} | {' | '.join(map(themes, coming))} |")
            if told["now"][0]["theme"] == "materials":
                for likeliest, step in zip((first, second), coming):
                    likeliest.append(step[0]["theme"] == "steps")
    print("\n## Rows whose theme is materials\n")
    print("| rows | steps likeliest next | steps likeliest two ahead |\n|---|---|---|")
    print(f"| {len(first)} | {share(first)} | {share(second)} |")


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("server", nargs=argparse.REMAINDER, help="where one listens, or the command that starts one")
    server = options.parse_args().server
    if not server:
        options.error("name the server: its address, or the command that starts it")
    where = contextlib.nullcontext(server[0].rstrip("/")) if server[0].startswith("http") else serving(server)
    with where as url:
        told_by(url)


if __name__ == "__main__":
    main()
