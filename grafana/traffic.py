#!/usr/bin/env python3
"""Mixed traffic for a server: chat requests, streamed, with annotations.

Prints a line for each answer ("late": without some of its forecasts) and a summary; exits with 1 if
a request failed. With --planted some answers are forced by a grammar, to plant divergences.
"""

import argparse
import json
import random
import re
import sys
import threading
import time
import urllib.error
import urllib.request

PROMPTS = """
What is an index of a database good for? | Give me a quick recipe for lentil soup.
Write a dialogue between a teacher and a curious child. | I had a long day at work and feel tired.
What is the difference between a virus and a bacterium? | Write a letter of thanks to a teacher.
Explique-moi comment fonctionne un moteur électrique. | Explain photosynthesis to a ten-year-old.
Write an invitation to a birthday party in the park. | Make a training plan for a first 10 km run.
What is the difference between a list and a set? | How did the printing press change Europe?
Which is better for a beginner, a guitar or a piano? | Recommend a hobby for rainy evenings.
Write an email about a delayed delivery. | What can I cook from eggs, spinach and rice?
Write a fairy tale about a fox who could not lie. | Write a cover letter for a job in a library.
Tell me a short story about a lighthouse keeper. | How should I prepare a small garden for spring?
Make a study plan for an exam in four weeks. | Write a short story about the sea.
Describe a village in the first snow. | Tell me about the history of Rome. | Hi! How are you today?
Explain how a refrigerator works. | Plan a weekend in Lisbon for two. | Why is the sky blue?
How do I bake an apple pie? | How do I bake sourdough bread?
"""
PLANTED = 'lines of {"prompt": ..., "answer": ...}: each sent once, its answer forced'
# A grammar that is through ends with the tokenizer's end, which not every server takes for its own.
ENDS = ["<|endoftext|>", "</s>"]


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--api-key")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--requests", type=int, metavar="N", default=30, help="[default: 30]")
    length.add_argument("--minutes", type=float, metavar="M", help="for how long instead")
    parser.add_argument("--concurrency", type=int, default=2, metavar="N", help="[default: 2]")
    parser.add_argument("--max-tokens", type=int, default=200, metavar="N", help="[default: 200]")
    parser.add_argument("--planted", metavar="FILE.jsonl", help=PLANTED)
    return parser.parse_args()


def body(prompt, options, answer=None):
    """A request; with an `answer` the model must write exactly that."""
    made = {
        "model": "default",
        "messages": [{"role": "user", "content": prompt}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": options.max_tokens,
        "temperature": 0.7,
        "themecast": {"every": "segment"},
    }
    if answer is not None:
        regex = re.sub(r"[\\.+*?()|\[\]{}^$]", r"\\\g<0>", answer)  # no more than must be
        made["grammar"] = {"type": "regex", "value": regex}
        # A token is a byte at least, so nothing is cut.
        made.update(temperature=0, stop=ENDS, max_tokens=len(answer.encode()) + 1)
    return made


def planted(options):
    """What the file has, as requests and the answers they must have."""
    with open(options.planted, encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                one = json.loads(line)
                yield body(one["prompt"], options, one["answer"]), one["answer"]
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                sys.exit(f"{options.planted}:{number}: want prompt and answer ({error!r})")


def requests(options, extra):
    """Requests until the end, the `extra` ones among the first of them."""
    prompts = re.split(r" \| |\n", PROMPTS.strip())
    end = time.monotonic() + 60 * (options.minutes or 0)
    sent, deck = 0, []
    while sent < options.requests if options.minutes is None else time.monotonic() < end:
        deck = deck or random.sample(prompts, len(prompts))
        yield body(deck.pop(), options), None
        yield from extra[sent : sent + 1]
        sent += 1
    yield from extra[sent:]


def chunks(request, options):
    """The chunks of a streamed answer."""
    headers = {"content-type": "application/json"}
    if options.api_key:
        headers["authorization"] = f"Bearer {options.api_key}"
    url = options.url.rstrip("/") + "/v1/chat/completions"
    request = urllib.request.Request(url, json.dumps(request).encode(), headers)
    with urllib.request.urlopen(request, timeout=600) as answer:
        for line in answer:
            data = line.decode().strip()
            if data == "data: [DONE]":
                return
            if data.startswith("data:"):
                yield json.loads(data[len("data:") :])
    raise ValueError("the stream broke off")


class Heard:
    """What came of one request."""

    def __init__(self, request, answer):
        self.prompt = request["messages"][0]["content"][:40]
        self.answer, self.kind = answer, "" if answer is None else "planted"
        self.text, self.finish, self.failed = "", "", ""
        self.tokens, self.segments, self.score, self.alarm, self.late = 0, 0, 0.0, False, False

    def take(self, chunk):
        """Takes in one chunk and its annotation."""
        note = chunk.get("themecast") or {}
        if "error" in chunk:
            raise ValueError(chunk["error"])
        self.late |= "error" in note
        for choice in chunk.get("choices", []):
            self.text += choice["delta"].get("content") or ""
            self.finish = choice["finish_reason"] or self.finish
        self.tokens = (chunk.get("usage") or {}).get("completion_tokens", self.tokens)
        divergence, summary = note.get("divergence", {}), note.get("summary", {})
        self.segments = len(summary.get("segments", [])) or self.segments
        self.score = max(self.score, divergence.get("score", 0), summary.get("max_score", 0))
        self.alarm |= divergence.get("alarm", False) or summary.get("alarm", False)

    def __str__(self):
        if self.failed:
            return f"FAILED {self.kind:7}  {self.prompt}: {self.failed}"
        counts = f"{self.tokens:4} tokens {self.segments:3} segments  score {self.score:.2f}"
        alarm = "ALARM" if self.alarm else "late" if self.late else ""
        return f"{counts} {alarm:5}  {self.finish:14} {self.kind:7}  {self.prompt}"


def ask(request, answer, options):
    """Sends one request and hears the answer."""
    heard = Heard(request, answer)
    try:
        for chunk in chunks(request, options):
            heard.take(chunk)
        if answer not in (None, heard.text) and heard.finish != "content_filter":
            raise ValueError(f"another answer than the planted one: {heard.text!r}")
    except urllib.error.HTTPError as error:
        heard.failed = f"{error}: {error.read(300).decode(errors='replace')}"
    except Exception as error:  # whatever it is, the request failed
        heard.failed = f"{type(error).__name__}: {error}"
    return heard


def all_asked(options):
    """Asks with as many threads as wanted; prints and returns what came."""
    extra = list(planted(options)) if options.planted else []
    waiting, lock, heard = requests(options, extra), threading.Lock(), []

    def work():
        while True:
            with lock:
                request = next(waiting, None)
            if request is None:
                return
            heard.append(ask(*request, options))
            print(heard[-1], flush=True)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(options.concurrency or 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return heard


def main():
    """The command."""
    options, begun = arguments(), time.monotonic()
    heard = all_asked(options)
    whole = [one for one in heard if not one.failed]
    tokens, segments = sum(one.tokens for one in whole), sum(one.segments for one in whole)
    print(f"{len(whole)} answers, {tokens} tokens, {segments} segments,", end=" ")
    late = sum(one.late for one in whole)
    print(f"{time.monotonic() - begun:.0f} s; {late} answers without some of their forecasts")
    for kind in ("", "planted"):
        alarms = [one.alarm for one in whole if one.kind == kind]
        print(f"alarms: {sum(alarms)} of {len(alarms)} {kind} answers".replace("  ", " "))
    if len(whole) < len(heard):
        sys.exit(f"{len(heard) - len(whole)} of {len(heard)} requests failed")


if __name__ == "__main__":
    main()
