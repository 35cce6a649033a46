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


# What breaks tokenizers: marks of all classes, jamo, ligatures, joiners, direction marks, unassigned and private code points.
MARKS = [*range(0x300, 0x370), 0x483, 0x5B0, 0x64B, 0x651, 0x670, 0x93C, 0x94D, 0x9BE, 0x9D7, 0xBBE, 0xE38, 0xF71, 0x1DC4, 0x20D0, 0x302A, 0x302B,
         0x3099, 0x309A, 0x1D165, 0x1D16D]
BASES = [0x41, 0x61, 0x65, 0xC5, 0x1100, 0x1161, 0x11A8, 0xAC00, 0xAC01, 0x9C7, 0xBC6, 0x1EA4, 0x3B1, 0x212B, 0xFB01, 0xFDFA, 0x2122, 0x2126, 0x3000,
         0x0D, 0x09, 0x340, 0x600, 0xAD, 0x200B, 0x200D, 0x200C, 0xFE0F, 0x1F469, 0x1F1E6, 0x1F1FA, 0x1F3FD, 0x2764, 0xA9, 0x2139, 0xB9, 0xBD,
         0x130, 0x1E9E, 0x3C3, 0x3A3, 0xDF, 0x915, 0x937, 0x110BD, 0xE0020, 0x2581, 0x20, 0xA0, 0x85, 0x1680, 0x2028, 0xFEFF, 0xFFFD, 0xFF76,
         0xFF9E, 0x249C, 0x33A1, 0x1D7D8, 0x07, 0x00, 0x7F, 0x8F, 0x9F, 0x32FF, 0x1E030, 0x11938, 0x897, 0x1ACE]
PHRASES = ["<s>", "</s>", "<mask>", " <mask> ", "<unk>", "<pad>", "[SEP]", "[MASK]", "it's", "we'll'", "''", "``", "Caf\u00e9 x", "Cafe\u0301 x", " ab ",
           "don't've", "   \t ", "http://x.co/a", "@user ", "#tag", "x" * 120, "0123456789", "!!!???", "\u263a\ufe0f", "\u041f\u0440\u0438\u0432\u0435\u0442",
           "\u4f60\u597d", "\uc548\ub155", "\u0645\u0631\u062d\u0628\u0627", "\u0e2a\u0e27\u0e31\u0e2a", "\U0001f468\u200d\U0001f469\u200d\U0001f467"]


def unicode_texts(count, seed):
    """Random strings over all of Unicode, without line ends, denser where it hurts."""
    random = Random(seed)
    one_of = lambda items: items[random.below(len(items))]

    def item():
        kind = random.below(20)
        if kind < 4:
            return chr(one_of(BASES))
        if kind < 8:
            return "".join(chr(one_of(MARKS)) for _ in range(1 + random.below(3)))
        if kind < 11:
            return one_of(PHRASES)
        if kind < 13:
            return " "
        if kind < 16:
            return "".join(one_of(LETTERS) for _ in range(1 + random.below(9)))
        code_point = random.below(0x3100 if kind < 18 else 0x110000)
        return "" if code_point == 0x0A or 0xD800 <= code_point <= 0xDFFF else chr(code_point)

    for _ in range(count):
        yield "".join(item() for _ in range(1 + random.below(24)))


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
