# SPDX-License-Identifier: Apache-2.0
"""The labelled texts: read, cleaned, normalised, and split before anything is learnt from them.

Every source ends as a list of Text in one of the domains below. A text's split is a pure function of a hash of its
normalised words, so copies of a text, retweets included, are always on one side of the line, in whatever file they are.
"""

import csv
import glob
import hashlib
import html
import math
import os
import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass

LABELS = ("negative", "neutral", "positive")
NEGATIVE, NEUTRAL, POSITIVE = range(3)

TEST_PERCENT = 10
DEV_PERCENT = 5

# VADER's raters gave -4 to 4. A mean within half a point of 0 counts as neutral; in training the step is softened by the
# raters' spread, so that 0.4 and 0.6 are not opposite answers.
RATING_NEUTRAL_MAX = 0.5
RATING_SPREAD = 0.5


@dataclass
class Text:
    domain: str
    text: str  # normalised: what the encoder's tokenizer is given
    raw: str  # cleaned of the file format's own traces only: what a stream would carry
    target: tuple  # a probability for each of LABELS
    label: int  # the most likely of them
    binary: bool = False  # labelled negative or positive without neutral having been a choice
    split: str = ""


_ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'"}
_ENTITY = re.compile("|".join(_ENTITIES))
_MENTION = re.compile(r"@\w+")
_URL = re.compile(r"https?://\S*")


def _without_name(mention):
    r"""`@user` for `@` and the letters, digits and `_` behind it; \w goes on over fractions, superscripts and the like."""
    text = mention.group()
    end = 1
    while end < len(text) and unicodedata.category(text[end]) not in ("Nl", "No"):
        end += 1
    return "@user" + text[end:] if end > 1 else text


def normalise(text):
    """The product's `squall_normalise: tweet`, to the letter."""
    text = _ENTITY.sub(lambda m: _ENTITIES[m.group()], text)
    text = _MENTION.sub(_without_name, text)
    return _URL.sub("http", text)


def split_key(text):
    """What makes two texts the same text: their letters and digits, without case, mentions, links and `RT`."""
    words = re.sub(r"@user\b|\bhttp\b|^\s*rt\b", " ", html.unescape(normalise(text)).lower())
    return "".join(c for c in words if c.isalnum()) or text


def split_of(key):
    bucket = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") % 100
    if bucket < TEST_PERCENT:
        return "test"
    return "dev" if bucket < TEST_PERCENT + DEV_PERCENT else "train"


def clean(text):
    """One line, no surrounding blanks."""
    return " ".join(text.split())


def _one_hot(label):
    return tuple(1.0 if i == label else 0.0 for i in range(3))


def _hard(domain, raw, label, binary=False):
    raw = clean(raw)
    return Text(domain, normalise(raw), raw, _one_hot(label), label, binary)


def _unescape_tweet(field):
    r"""SemEval's files carry CSV quoting and JSON-like \u2019 escapes, sometimes one around the other."""
    field = field.strip()
    if len(field) >= 2 and field[0] == field[-1] == '"':
        field = field[1:-1]
    field = re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m.group(1), 16)), field)
    return re.sub(r'\\?"{2,}|\\"', '"', field)


def read_semeval(folder):
    for path in sorted(glob.glob(os.path.join(folder, "*.tsv"))):
        with open(path, encoding="utf-8", newline="\n") as f:
            for line in f:
                fields = line.rstrip("\r\n").split("\t")
                if len(fields) >= 3 and fields[1] in LABELS:
                    yield _hard("tweets", _unescape_tweet(fields[2]), LABELS.index(fields[1]))


def read_finance(folder):
    of = {"0": NEGATIVE, "1": POSITIVE, "2": NEUTRAL}
    with open(os.path.join(folder, "train.csv"), encoding="utf-8", newline="") as f:
        for row in csv.DictReader(f):
            yield _hard("finance", row["text"], of[row["label"]])


def _beyond(threshold, rating):
    return 0.5 * (1 + math.erf((rating - threshold) / (RATING_SPREAD * math.sqrt(2))))


def _rated(domain, raw, rating):
    positive, negative = _beyond(RATING_NEUTRAL_MAX, rating), _beyond(RATING_NEUTRAL_MAX, -rating)
    label = NEUTRAL if abs(rating) <= RATING_NEUTRAL_MAX else POSITIVE if rating > 0 else NEGATIVE
    raw = clean(raw)
    return Text(domain, normalise(raw), raw, (negative, 1 - positive - negative, positive), label)


VADER_DOMAINS = {
    "posts": "tweets_GroundTruth.txt",
    "products": "amazonReviewSnippets_GroundTruth.txt",
    "editorials": "nytEditorialSnippets_GroundTruth.txt",
    "films": "movieReviewSnippets_GroundTruth.txt",
}


def read_vader(folder):
    for domain, name in VADER_DOMAINS.items():
        with open(os.path.join(folder, name), encoding="utf-8", errors="replace", newline="\n") as f:
            for line in f:
                fields = line.rstrip("\r\n").split("\t", 2)
                if len(fields) == 3:
                    yield _rated(domain, fields[2], float(fields[1]))


def read_sst2(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as f:
        next(f)
        for line in f:
            label, sentence = line.rstrip("\n").split("\t")
            yield _hard("phrases", sentence, POSITIVE if label == "1" else NEGATIVE, binary=True)


def _merge(copies):
    """One Text of the copies of a text in one domain: the mean of their labels; None if no label has a majority."""
    if len(copies) == 1:
        return copies[0], True
    first = copies[0]
    first.target = tuple(sum(c.target[i] for c in copies) / len(copies) for i in range(3))
    first.label = max(range(3), key=lambda i: first.target[i])
    return first, sum(t == first.target[first.label] for t in first.target) == 1


PHRASE_LETTERS_MIN = 20  # shorter pieces of a sentence say little, and turn up inside others by chance


def load(folder):
    """All texts of the folder, each with its split; texts held out with tied labels are dropped."""
    sst2_dev = list(read_sst2(os.path.join(folder, "sst2"), "dev.tsv"))
    sst2_dev_keys = {split_key(t.text) for t in sst2_dev}

    by_key = defaultdict(list)
    for source in (
        read_semeval(os.path.join(folder, "semeval")),
        read_finance(os.path.join(folder, "finance")),
        read_vader(os.path.join(folder, "vader")),
        sst2_dev,
    ):
        for t in source:
            by_key[t.domain, split_key(t.text)].append(t)

    texts, held_out_films = [], []
    for (domain, key), copies in by_key.items():
        text, clear = _merge(copies)
        text.split = "test" if key in sst2_dev_keys else split_of(key)
        if text.split != "train" and domain in ("films", "phrases"):
            held_out_films.append(key)
        if clear or text.split == "train":
            texts.append(text)

    # SST-2's training phrases are pieces of the film sentences: those of a held-out sentence go with it.
    sentences = "\n".join(held_out_films)
    seen = set()
    for t in read_sst2(os.path.join(folder, "sst2"), "train.tsv"):
        key = split_key(t.text)
        if len(key) >= PHRASE_LETTERS_MIN and key not in seen and key not in sentences:
            seen.add(key)
            t.split = "train"
            texts.append(t)
    return texts
