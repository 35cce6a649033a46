# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/ids: what `tokenizers` gives for the texts that the repository ships."""
import json
import struct
import tempfile

import xxhash

from . import texts, tokenizers_made
from .chars import CODE_POINTS, bert

IDS = texts.GOLDEN / "ids"
ALL = tuple(texts.SOURCES)
# tokenizer: the sources whose ids are kept
SETS = {
    "bert-base-uncased": ALL,
    "bert-base-cased": ALL,
    "bert-base-chinese": ALL,
    "bert-base-multilingual-cased": ALL,
    "roberta": ("finance", "hard", "random"),
    "xlm-roberta": ("finance", "chinese", "hard", "random"),
    "camembert": ("hard", "chinese"),
}
NORMALISED = ("hard", "random")
SAMPLE_IDS_MAX = 48
SAMPLE_CHARACTERS_MAX = 200
BLOCK = 4096

# What the normaliser makes of every code point, under these flags.
CHARACTERS = {
    "uncased": {"clean_text": True, "handle_chinese_chars": True, "strip_accents": True, "lowercase": True},
    "cased": {"clean_text": True, "handle_chinese_chars": True},
    "stripped": {"strip_accents": True},
    "lowered": {"lowercase": True},
}


def digest(ids):
    return xxhash.xxh64_intdigest(struct.pack(f"<{len(ids)}i", *ids), 0) & 0xFFFFFFFF


def encode_all(tokenizer, items):
    for start in range(0, len(items), 1000):
        for encoding in tokenizer.encode_batch(items[start:start + 1000]):
            yield encoding.ids


def write_ids(name, tokenizer, source, items, samples):
    with open(IDS / f"{name}.{source}.u32", "wb") as out:
        for text, ids in zip(items, encode_all(tokenizer, items)):
            out.write(struct.pack("<I", digest(ids)))
            if source == "hard" and len(ids) <= SAMPLE_IDS_MAX and len(text) <= SAMPLE_CHARACTERS_MAX:
                samples.write(json.dumps({"set": name, "text": text, "ids": ids}) + "\n")


def write_normalised(source, items):
    normalise = bert(**CHARACTERS["uncased"])
    with open(IDS / f"normalised.{source}.u32", "wb") as out:
        for text in items:
            out.write(struct.pack("<I", xxhash.xxh64_intdigest(normalise(text).encode(), 0) & 0xFFFFFFFF))


def write_characters():
    with open(IDS / "characters.txt", "w", encoding="ascii") as out:
        for name, flags in CHARACTERS.items():
            normalise = bert(**flags)
            blocks = {}
            for c in CODE_POINTS:
                hasher = blocks.setdefault(c // BLOCK, xxhash.xxh64(seed=0))
                hasher.update(normalise(chr(c)).encode() + b"\n")
            for block, hasher in blocks.items():
                out.write(f"{name} {block * BLOCK:06x} {hasher.hexdigest()}\n")


def update():
    IDS.mkdir(exist_ok=True)
    shipped = {name: list(read()) for name, read in texts.SOURCES.items()}
    with tempfile.TemporaryDirectory() as work, open(IDS / "samples.jsonl", "w", encoding="ascii") as samples:
        for name, sources in SETS.items():
            tokenizer = tokenizers_made.tokenizer_of(name, work)
            for source in sources:
                write_ids(name, tokenizer, source, shipped[source], samples)
            if name == "bert-base-uncased":
                for source in ("vader", "finance", "hard"):
                    write_ids("tweet", tokenizer, source, [texts.tweet(text) for text in shipped[source]], samples)
    for source in NORMALISED:
        write_normalised(source, shipped[source])
    write_characters()
    return {name: len(items) for name, items in shipped.items()}
