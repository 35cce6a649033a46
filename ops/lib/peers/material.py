# SPDX-License-Identifier: Apache-2.0
"""What all engines are given: model folders of two shapes, texts, and the ids that `squall classify --logits` has for them."""
import itertools
import json

import numpy

from parity import folders, texts

from . import squall

WORK = texts.ROOT / "build" / "bench"
VOCABULARY = "bert-base-uncased"
# Timed texts: so many that the slowest engine goes through them in some seconds.
TEXTS = {"minilm": 512, "base": 128}
CALIBRATION_TEXTS = 512


class Material:
    """folder: a Hugging Face folder. texts_file: a text a line. rows: ids of CALIBRATION_TEXTS texts, of which `timed` are timed."""

    def __init__(self, shape, texts_file):
        self.shape, self.timed, self.work = shape, TEXTS[shape], WORK / shape
        self.work.mkdir(parents=True, exist_ok=True)
        self.folder = FOLDERS[shape](self.work)
        lines = read_lines(texts_file)
        self.texts_file, self.rows_file = self.work / "texts.txt", self.work / "rows.json"
        answers = squall.answers(self.folder, lines[:CALIBRATION_TEXTS])
        self.rows = [answer["ids"] for answer in answers]
        self.logits = numpy.array([answer["logits"] for answer in answers])
        self.texts_file.write_text("".join(f"{line}\n" for line in lines[: self.timed]))
        self.rows_file.write_text(json.dumps(self.rows))
        self.versions = {}

    def tokens(self):
        return sum(map(len, self.rows[: self.timed])) / self.timed

    def index_of_length(self, length):
        """A text of so many tokens, or nearly."""
        return min(range(len(self.rows)), key=lambda at: abs(len(self.rows[at]) - length))


def read_lines(texts_file):
    """Of the file, else the shipped tweets."""
    if texts_file:
        return texts_file.read_text("utf-8").removesuffix("\n").split("\n")
    return list(itertools.islice(texts.vader(), CALIBRATION_TEXTS))


def shipped(work):
    return texts.ROOT / "engine" / "models" / "minilm-l6-sentiment"


def bert_base(work):
    """Random weights, saved by transformers."""
    folder = work / "folder"
    if not (folder / "model.safetensors").exists():
        vocabulary_size = folders.with_tokenizer(VOCABULARY, "vocab.txt", folder, work)
        folders.random_weights(folder, folders.bert_config(vocabulary_size, position_embedding_type="absolute"))  # CTranslate2 asks
    return folder


FOLDERS = {"minilm": shipped, "base": bert_base}
