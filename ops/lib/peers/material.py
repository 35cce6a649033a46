# SPDX-License-Identifier: Apache-2.0
"""What all engines are given: model folders of two shapes, texts, and the ids that `squall classify --logits` has for them."""
import itertools
import json

import numpy

from parity import folders, texts

from . import squall

WORK = texts.ROOT / "build" / "bench"
# Timed texts: so many that the slowest engine goes through them in some seconds.
TEXTS = {"minilm": 512, "base": 128}
CALIBRATION_TEXTS = 512
SINGLE_TOKENS = 25
TWEETS = 4200  # the repository's texts begin with so many


class Material:
    """folder: a Hugging Face folder. rows: ids of CALIBRATION_TEXTS texts, of which the first `timed` are timed, and stand in texts_file;
    single: the one of SINGLE_TOKENS tokens, or nearly, that is timed alone, and stands in single_file; all_file: every text."""

    def __init__(self, shape, texts_file):
        self.shape, self.timed, self.work = shape, TEXTS[shape], WORK / shape
        self.work.mkdir(parents=True, exist_ok=True)
        self.folder = FOLDERS[shape](self.work)
        everything = read_lines(texts_file)
        lines, self.count = everything[:CALIBRATION_TEXTS], len(everything)
        self.rows_file = self.work / "rows.json"
        self.texts_file, self.single_file, self.all_file = self.work / "texts.txt", self.work / "single.txt", self.work / "all.txt"
        answers = squall.answers(self.folder, lines)
        self.rows = [answer["ids"] for answer in answers]
        self.logits = numpy.array([answer["logits"] for answer in answers])
        self.texts_file.write_text("".join(f"{line}\n" for line in lines[: self.timed]))
        self.single = min(range(len(lines)), key=lambda at: abs(len(self.rows[at]) - SINGLE_TOKENS))
        self.single_file.write_text(f"{lines[self.single]}\n")
        self.rows_file.write_text(json.dumps(self.rows))
        self.all_file.write_text("".join(f"{line}\n" for line in everything))
        self.versions = {}

    def tokens(self):
        return sum(map(len, self.rows[: self.timed])) / self.timed

    def span(self, order, timed=None):
        """Which rows an order is about: the timed ones, or the one that is timed alone."""
        return {"first": self.single, "texts": 1} if order == "single" else {"first": 0, "texts": timed or self.timed}


def read_lines(texts_file):
    """Of the file, else the shipped tweets."""
    if texts_file:
        return texts_file.read_text("utf-8").removesuffix("\n").split("\n")
    return list(itertools.islice(texts.vader(), TWEETS))


def shipped(work):
    return texts.ROOT / "engine" / "models" / "minilm-l6-sentiment"


def bert_base(work):
    """Random weights, saved by transformers."""
    folder = work / "folder"
    if not (folder / "model.safetensors").exists():
        vocabulary_size = folders.with_uncased(folder, work)
        folders.random_weights(folder, folders.bert_config(vocabulary_size, position_embedding_type="absolute"))  # CTranslate2 asks
    return folder


FOLDERS = {"minilm": shipped, "base": bert_base}
