# SPDX-License-Identifier: Apache-2.0
"""What the pages say is so: links lead somewhere, commands and their options exist, and those that need no broker are run."""
import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SQUALL = ROOT / "build" / "release" / "squall"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "ops" / "docs").glob("*.md"))]

by_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def squall(arguments, cwd=None, stdin=None):
    return subprocess.run([SQUALL, *arguments], cwd=cwd, input=stdin, capture_output=True, text=True, timeout=120)


def shell_lines(page):
    """The commands of the page's shell blocks, comments and prompts gone."""
    for block in re.findall(r"```(?:sh|bash|shell|console)\n(.*?)```", page.read_text(), re.S):
        for line in block.replace("\\\n", " ").splitlines():
            line = line.strip().removeprefix("$ ")
            if line:
                yield shlex.split(line, comments=True)


def calls(page):
    """(command, [words]) of each `squall COMMAND ...`, in shell blocks and in running text."""
    texts = re.findall(r"`((?:build/release/)?squall [a-z][^`\n]*)`", page.read_text())
    for words in [*shell_lines(page), *(text.split() for text in texts)]:
        for at, word in enumerate(words[:-1]):
            if Path(word).name == "squall" and re.fullmatch("[a-z]+", words[at + 1]):
                yield words[at + 1], words[at + 2:]


@by_page
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), target


@by_page
def test_scripts_exist(page):
    for words in shell_lines(page):
        for word in words[:1]:
            if word.removeprefix("./").startswith(("ops/", "tests/")):
                assert os.access(ROOT / word, os.X_OK), word


@by_page
def test_commands_and_options_exist(page):
    for command, words in calls(page):
        told = squall([command, "--help"])
        assert told.returncode == 0, f"squall {command}: {told.stderr}"
        for word in words:
            if word in ("|", ">", "&&", ";"):
                break
            if re.fullmatch("--[a-z][a-z-]*", word):
                assert word in told.stdout, f"squall {command} {word}"


@by_page
def test_metrics_exist(page):
    families = set(re.findall(r"^\| `(squall_\w+)`", (ROOT / "ops/docs/METRICS.md").read_text(), re.M))
    assert families
    for name in re.findall(r"`[^`\n]*`", page.read_text()):
        for family in re.findall(r"\bsquall_\w+_\w+", name):
            assert {family, re.sub("_(bucket|sum|count)$", "", family)} & families, family


def test_what_shows_a_promise_is_there():
    """The table of promises: each file in it exists, and has the tests that are named behind it."""
    table = (ROOT / "ops/docs/RELIABILITY.md").read_text().split("## What is promised, and what shows it")[1]
    folders, tests = {"i": "tests/integration/test_", "u": "tests/unit/", "tests": "tests/"}, 0
    for shown in re.findall(r"^\|[^|]+\|([^|]+)\|$", table, re.M):
        for place, name in re.findall(r"`((?:i|u|tests)/[^` ]+)`|\b(\w+_\w+_\w+)\b(?!`)", shown):
            if place:
                folder, _, rest = place.partition("/")
                text = (ROOT / (folders[folder] + rest)).read_text()
            else:
                assert name in text, f"{place} has no {name}"
                tests += 1
    assert tests > 30


def test_the_first_ten_minutes_of_the_readme(tmp_path):
    first = squall(["init", "--brokers", "localhost:9092", "--topic", "posts"], tmp_path)
    assert first.returncode == 0
    (tmp_path / "squall.yaml").write_text(first.stdout)
    assert squall(["validate", "-c", "squall.yaml", "--offline"], tmp_path).returncode == 0

    answer = squall(["classify"], tmp_path, "They missed earnings again and the CFO resigned\n")
    assert answer.returncode == 0 and answer.stdout.startswith("negative ")

    example = re.search(r"`(\{\"text\".*?\})`", (ROOT / "README.md").read_text()).group(1)
    assert set(json.loads(example)) == {"text", "entity", "author", "ts"}
    (tmp_path / "history.jsonl").write_text((example + "\n") * 3)
    told = squall(["replay", "-c", "squall.yaml", "--scores-out", "scores.jsonl", "--alerts-out", "alerts.jsonl", "history.jsonl"], tmp_path)
    assert told.returncode == 0, told.stderr
    scores = [json.loads(line) for line in (tmp_path / "scores.jsonl").read_text().splitlines()]
    assert [score["entity"] for score in scores] == ["acme"] * 3
    assert (tmp_path / "alerts.jsonl").read_text() == ""


def write_history(folder, texts, step_ms):
    """Texts about one entity at an even pace, as records of a topic."""
    with (folder / "history.jsonl").open("w") as history:
        for i, text in enumerate(texts):
            json.dump({"text": text, "entity": "acme", "author": f"a{i}", "ts": 1767225600000 + i * step_ms}, history)
            history.write("\n")


def test_the_commands_of_the_tuning_page(tmp_path):
    """All but those that need a broker (test_same_log.py has them), in their order, in one folder: each finds what the ones before it have made."""
    calm = [f"the shop in {place} opens at nine tomorrow" for place in ("Rome", "Oslo", "Bern", "Kyiv", "Lima", "Cairo")]
    angry = [f"terrible service, {thing} broke again and nobody answers" for thing in ("the app", "my phone", "the site", "their bot")]
    write_history(tmp_path, calm * 50 + angry * 20 + calm * 10, 120000)
    (tmp_path / "squall.yaml").write_text("rules:\n  - name: NegativeSpike\n    max_per_text: 255\n")
    (tmp_path / "new.yaml").write_text("rules:\n  - name: NegativeSpike\n    max_per_text: 255\n    threshold: 40\n")
    (tmp_path / "incidents.jsonl").write_text('{"entity":"acme","start":1767261600000,"end":1767272000000}\n')
    assert squall(["replay", "-q", "-c", "squall.yaml", "--scores-out", "scores.jsonl", "history.jsonl"], tmp_path).returncode == 0
    rules = re.search(r"```yaml\n(config: .*?)```", (ROOT / "ops" / "docs" / "TUNING.md").read_text(), re.S).group(1)
    (tmp_path / "rules.test.yaml").write_text(rules)
    told = []
    for words in shell_lines(ROOT / "ops" / "docs" / "TUNING.md"):
        assert words[0] == "squall"
        if "--topic" in words:
            continue
        ran = squall(words[1:], tmp_path)
        assert ran.returncode == 0, f"{words}: {ran.stderr}"
        told.append(ran.stdout + ran.stderr)
    assert (tmp_path / "alerts.jsonl").read_text().count('"firing"') == 1
    assert any("1.00 (1/1)" in text for text in told)
    assert any("0 added, 1 removed" in text for text in told)
