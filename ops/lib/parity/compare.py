# SPDX-License-Identifier: Apache-2.0
"""Runs squall and transformers over the same texts."""
import json
import subprocess
import tempfile
from array import array
from pathlib import Path

import torch

from . import folders, texts
from .probabilities import scores

TOKENS_MAX = 128  # what classify cuts to
PROBABILITY_MAX = 1e-4
BATCH = 32
SHOWN = 5


def classify(binary, model, items, work):
    """What squall says of each text."""
    path = Path(work) / "texts.txt"
    path.write_bytes("".join(text + "\n" for text in items).encode())
    command = [str(binary), "classify", "--model", str(model), "--precision", "fp32", "--json", "--logits", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        count = 0
        for line in process.stdout:
            yield json.loads(line)
            count += 1
    if process.returncode not in (0, 1) or count != len(items):
        raise SystemExit(f"ops/parity: {' '.join(command)} gave {count} of {len(items)} lines, exit code {process.returncode}")


def reference_ids(tokenizer, model, items):
    if folders.is_tweet(model):
        items = [texts.tweet(text) for text in items]
    for start in range(0, len(items), 1000):
        for encoding in tokenizer.encode_batch(items[start:start + 1000]):
            ids = encoding.ids
            yield ids if len(ids) <= TOKENS_MAX else ids[:TOKENS_MAX - 1] + ids[-1:]


class Ids:
    """Ids of all texts, each tokenizer asked once: by us for every form of a file, by `tokenizers` for what the forms amount to."""

    def __init__(self, binary, items, work):
        self.binary, self.items, self.work = binary, items, work
        self.references, self.wrong = {}, {}

    def reference(self, model):
        tokenizer = folders.tokenizer_of_folder(model)
        key = (tokenizer.to_str(), folders.is_tweet(model))
        if key not in self.references:
            self.references[key] = [array("i", ids) for ids in reference_ids(tokenizer, model, self.items)]
        return self.references[key]

    def compare(self, model):
        """How many texts differ."""
        key = (folders.tokenizer_files(model), folders.is_tweet(model))
        if key not in self.wrong:
            self.wrong[key] = self.count(folders.twin(model, self.work), model.name)
        return self.wrong[key]

    def count(self, twin, name):
        wrong = 0
        got_all = classify(self.binary, twin, self.items, self.work)
        for text, got, expected in zip(self.items, got_all, self.reference(twin)):
            if array("i", got.get("ids", [])) == expected:
                continue
            wrong += 1
            if wrong <= SHOWN:
                print(f"  {name}: {ascii(text[:200])}\n    squall       {got.get('ids', got)}\n    transformers {expected.tolist()}")
        return wrong


def probabilities(network, ids):
    """[labels] for each sequence of ids; padded batches of like length, with a mask."""
    out = [None] * len(ids)
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    for start in range(0, len(order), BATCH):
        batch = order[start:start + BATCH]
        width = max(len(ids[i]) for i in batch)
        padded = torch.tensor([ids[i] + [0] * (width - len(ids[i])) for i in batch])
        mask = torch.tensor([[1] * len(ids[i]) + [0] * (width - len(ids[i])) for i in batch])
        with torch.inference_mode():
            logits = network(input_ids=padded, attention_mask=mask).logits
        values = scores(network.config, logits)
        for i, row in zip(batch, values.tolist()):
            out[i] = row
    return out


def compare_probabilities(binary, model, items, work):
    """(texts with other ids, largest difference, spread of the reference's probabilities)."""
    from transformers import AutoModelForSequenceClassification

    network = AutoModelForSequenceClassification.from_pretrained(str(model), dtype=torch.float32, attn_implementation="eager").eval()
    ids = list(reference_ids(folders.tokenizer_of_folder(model), model, items))
    expected = probabilities(network, ids)
    labels = [network.config.id2label[i] for i in range(network.config.num_labels)]
    wrong, largest, values = 0, 0.0, []
    for got, sequence, row in zip(classify(binary, model, items, work), ids, expected):
        wrong += got.get("ids") != sequence
        scores = got.get("scores", {})
        largest = max([largest] + [abs(scores.get(label, float("inf")) - value) for label, value in zip(labels, row)])
        values.append(max(row))
    return wrong, largest, max(values) - min(values)


def sample(items, limit):
    step = max(1, len(items) // max(1, limit))
    return items[::step][:limit]


def run(binary, items, arguments):
    good = True
    with tempfile.TemporaryDirectory() as work:
        models = [folder.resolve() for folder in arguments.model] or folders.default_models(work)
        ids_of = items if arguments.ids_limit is None else sample(items, arguments.ids_limit)
        some = sample(items, arguments.probabilities_limit)
        ids = Ids(binary, ids_of, work)
        print(f"{len(items):8}  in all: ids of {len(ids_of)} are compared, probabilities of {len(some)}, spread over them\n")
        print(f"{'model':44} {'ids of':>8} {'mismatches':>10} {'sample':>7} {'largest difference':>18} {'spread':>7}", flush=True)
        for model in models:
            wrong = ids.compare(model)
            wrong_too, largest, spread = compare_probabilities(binary, model, some, work)
            good = good and wrong + wrong_too == 0 and largest <= PROBABILITY_MAX
            print(f"{model.name:44} {len(ids_of):8} {wrong + wrong_too:10} {len(some):7} {largest:18.2e} {spread:7.3f}", flush=True)
    print("\nthe same" if good else "\nNOT the same")
    return 0 if good else 1
