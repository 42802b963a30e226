#!/usr/bin/env python3
"""Prints what a server streams beside the answers to recipe prompts: EVALUATION.md, "The stream of a recipe".

    themecast serve &
    data/recipe.py http://127.0.0.1:8080

A row is what the first token of a segment carries (`"every": "segment"`); themes of less than 0.09 are
left out. At temperature 0 one model on one machine writes the same each time.
Python 3.9 or later, nothing else.
"""

import argparse
import json
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


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("url", help="where the server listens")
    url = options.parse_args().url.rstrip("/")
    for prompt in PROMPTS:
        print(f'\n"{prompt}":\n\n| written so far | now | next | two ahead |\n|---|---|---|---|')
        for text, told in annotations(url, prompt):
            written = " ".join(text.split()).replace("|", "/")
            if len(written) > 60:
                written = "… " + written[-60:].partition(" ")[2]
            coming = [themes(step["top"]) for step in told["next"][:2]]
            print(f"| {written} | {themes(told['now'])} | {' | '.join(coming)} |")


if __name__ == "__main__":
    main()
