# SPDX-License-Identifier: Apache-2.0
"""Texts out of files: those that the repository ships, and any folder of csv, tsv, txt, json and jsonl files."""
import csv
import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = ROOT / "tests" / "golden"

ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'"}


def tweet(text):
    """`squall_normalise: tweet`."""
    text = re.sub("|".join(ENTITIES), lambda m: ENTITIES[m.group()], text)
    text = re.sub(r"@\w+", "@user", text)
    return re.sub(r"https?://\S*", "http", text)


# ---- what the repository ships ----

VADER = ["tweets", "amazonReviewSnippets", "movieReviewSnippets", "nytEditorialSnippets"]


def vader():
    for name in VADER:
        data = (ROOT / "ops" / "data" / "vader" / f"{name}_GroundTruth.txt").read_bytes().decode("utf-8")
        for line in data.split("\n"):
            fields = line.removesuffix("\r").split("\t", 2)
            if len(fields) == 3:
                yield fields[2]


def lines(name):
    data = (GOLDEN / "texts" / f"{name}.txt").read_bytes().decode("utf-8")
    yield from data.removesuffix("\n").split("\n")


def hard():
    for line in (GOLDEN / "texts" / "hard.jsonl").read_text("utf-8").splitlines():
        case = json.loads(line)
        yield case["text"] * case.get("times", 1)


class Random:
    """splitmix64, as tests/lib/random.c has it."""

    def __init__(self, seed):
        self.state = seed

    def bits(self):
        mask = (1 << 64) - 1
        self.state = self.state + 0x9E3779B97F4A7C15 & mask
        z = self.state
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & mask
        z = (z ^ z >> 27) * 0x94D049BB133111EB & mask
        return z ^ z >> 31

    def below(self, bound):
        return (self.bits() >> 32) * bound >> 32


# The same four tables stand in tests/golden/random_texts.h.
POOLS = [(0x00, 0x7F), (0x20, 0x7E), (0x80, 0x24F), (0x300, 0x36F), (0x370, 0x6FF), (0x8D0, 0xDFF), (0xE00, 0xFFF), (0x1000, 0x1FFF),
         (0x2000, 0x206F), (0x20A0, 0x2BFF), (0x302A, 0x302F), (0x3000, 0x30FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0xF900, 0xFFFF),
         (0x10000, 0x1FFFF), (0x1D100, 0x1D1FF), (0x1E000, 0x1E02A), (0x1F300, 0x1FAFF), (0x20000, 0x10FFFF)]
LITERALS = ["[SEP]", "[CLS]", "[MASK]", "[UNK]", "[PAD]", "[sep]", "##ing", "[["]
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,!?'"
RANDOM_TEXTS, RANDOM_SEED, RANDOM_ITEMS = 20000, 20261123, 48


def random_texts():
    """Each text is up to 47 items: of 16 kinds 2 are a space, 1 a literal, 3 a word of up to 12 letters, 3 a run of up to 6 characters of
    one pool, and 7 a single character of any pool. Surrogates become U+FFFD."""
    random = Random(RANDOM_SEED)

    def character(pool):
        code_point = pool[0] + random.below(pool[1] - pool[0] + 1)
        return chr(0xFFFD if 0xD800 <= code_point <= 0xDFFF else code_point)

    for _ in range(RANDOM_TEXTS):
        items = []
        for _ in range(random.below(RANDOM_ITEMS)):
            kind = random.below(16)
            if kind < 2:
                items.append(" ")
            elif kind < 3:
                items.append(LITERALS[random.below(len(LITERALS))])
            elif kind < 6:
                items.extend(LETTERS[random.below(len(LETTERS))] for _ in range(1 + random.below(12)))
            else:
                pool = POOLS[random.below(len(POOLS))]
                items.extend(character(pool) for _ in range(1 + random.below(6) if kind < 9 else 1))
        yield "".join(items)


SOURCES = {
    "vader": vader,
    "finance": lambda: lines("finance"),
    "chinese": lambda: lines("chinese"),
    "hard": hard,
    "random": random_texts,
}

# ---- any folder ----

TEXT_COLUMNS = ("text", "sentence", "content", "tweet", "message", "body", "review", "headline")


def unescape(text):
    r"""\u2019 as some published sets have it; and what CSV quoting left in tab-separated files."""
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = text[1:-1].replace('""', '"')
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m.group(1), 16)), text)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def of_table(rows):
    """The column called text or the like, else the one with the most characters."""
    rows = [row for row in rows if row]
    if not rows:
        return
    header = [cell.strip().lower() for cell in rows[0]]
    named = [header.index(name) for name in TEXT_COLUMNS if name in header]
    if named:
        rows, column = rows[1:], named[0]
    else:
        sample = rows[:200]
        width = max(len(row) for row in sample)
        column = max(range(width), key=lambda i: sum(len(row[i]) for row in sample if i < len(row)))
    for row in rows:
        if column < len(row):
            yield unescape(row[column])


def of_json(value):
    """The text of a JSON line: the line itself, or its member called text or the like."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        name = next((name for name in TEXT_COLUMNS if isinstance(value.get(name), str)), None)
        if name:
            yield value[name]


def of_file(path):
    data = path.read_bytes().decode("utf-8", "replace")
    if path.suffix == ".csv":
        yield from of_table(list(csv.reader(data.splitlines(keepends=True))))
    elif path.suffix == ".tsv" or (path.suffix == ".txt" and data[:4096].count("\t") > data[:4096].count("\n") > 0):
        yield from of_table([line.removesuffix("\r").split("\t") for line in data.split("\n")])
    elif path.suffix == ".txt":
        yield from (line.removesuffix("\r") for line in data.removesuffix("\n").split("\n"))
    elif path.suffix == ".jsonl":
        for line in data.split("\n"):
            if line.strip():
                yield from of_json(json.loads(line))


def of_folder(folder):
    """(file, texts) for each file that holds any; vocabularies and licences are no texts."""
    for path in sorted(Path(folder).rglob("*")):
        if path.suffix not in (".csv", ".tsv", ".txt", ".jsonl") or not path.is_file():
            continue
        if path.stem.upper().startswith(("LICENSE", "README")) or path.name.endswith((".vocab.txt", ".merges.txt")):
            continue
        yield path, list(of_file(path))
