# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/probabilities: what transformers gives for the default model and for random-weight models of BERT-base's and
DistilBERT's shapes and small ones of every other architecture. Those are made by the program of tests/golden/write_model.c, so the oracle sees the very bytes that the test makes."""
import json
import subprocess
import tempfile
from pathlib import Path

from . import texts

GOLDEN = texts.GOLDEN / "probabilities"
MODELS = texts.ROOT / "engine" / "models"
TOKENS_MAX = 128

# name: how many texts of each source
RANDOM = {
    "bert-base": {"vader": 30, "finance": 20, "hard": 10},
    "distilbert": {"vader": 60, "finance": 40, "hard": 20},
    "odd-shape": {"chinese": 120, "hard": 40, "vader": 40},
    **{name: {"vader": 50, "finance": 10} for name in ("roberta", "xlm-roberta", "camembert", "electra-small", "electra", "mpnet", "albert")},
}
VECTORS = {"mpnet": 15}  # of so many texts, sentence vectors too
DEFAULT = {"vader": 200, "finance": 160, "hard": 40}


def spread(items, count):
    """So many of them, evenly over the whole."""
    return [items[i * len(items) // count] for i in range(min(count, len(items)))]


def chosen(counts):
    for source, count in counts.items():
        yield from spread(list(texts.SOURCES[source]()), count)


def scores(config, logits):
    """What transformers' text-classification pipeline makes of logits."""
    if config.problem_type == "regression":
        return logits
    if config.problem_type == "multi_label_classification" or config.num_labels == 1:
        return logits.sigmoid()
    return logits.softmax(-1)


class Oracle:
    def __init__(self, folder):
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        self.torch = torch
        torch.set_num_threads(1)
        self.tokenizer = AutoTokenizer.from_pretrained(str(folder))
        self.model = AutoModelForSequenceClassification.from_pretrained(str(folder), dtype=torch.float32).eval()
        config = json.loads((Path(folder) / "config.json").read_text())
        self.tokens_max = min(TOKENS_MAX, config["max_position_embeddings"])
        self.normalise = texts.tweet if config.get("squall_normalise") == "tweet" else lambda text: text

    def ask(self, text):
        """A text alone, without padding: tokens, logits, probabilities."""
        given = self.tokenizer(self.normalise(text), truncation=True, max_length=self.tokens_max, return_tensors="pt")
        with self.torch.no_grad():
            logits = self.model(input_ids=given["input_ids"]).logits[0].double()
        return given["input_ids"].shape[1], logits.tolist(), scores(self.model.config, logits).tolist()


    def vectors(self, text):
        """Pooled both ways, of length 1, as sentence-transformers does."""
        given = self.tokenizer(self.normalise(text), truncation=True, max_length=self.tokens_max, return_tensors="pt")
        with self.torch.no_grad():
            hidden = self.model.base_model(input_ids=given["input_ids"]).last_hidden_state[0].double()
        rows = {"mean": hidden.mean(0), "cls": hidden[0]}
        return {name: [round(x, 8) for x in (row / row.norm()).tolist()] for name, row in rows.items()}


def write(name, folder, counts):
    oracle = Oracle(folder)
    with open(GOLDEN / f"{name}.jsonl", "w", encoding="ascii") as out:
        for i, text in enumerate(chosen(counts)):
            tokens, logits, probabilities = oracle.ask(text)
            row = {"tokens": tokens, "logits": [round(x, 9) for x in logits], "probabilities": [round(x, 9) for x in probabilities]}
            if i < VECTORS.get(name, 0):
                row.update(oracle.vectors(text))
            out.write(json.dumps({"text": text, **row}) + "\n")


def update(write_model, names):
    """All of them, or those named."""
    GOLDEN.mkdir(exist_ok=True)
    for name, counts in RANDOM.items():
        if names and name not in names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([str(write_model), name, folder], check=True)
            write(name, folder, counts)
    if names and "default" not in names:
        return
    (default,) = [path for path in MODELS.iterdir() if (path / "config.json").exists()]
    write("default", default, DEFAULT)
