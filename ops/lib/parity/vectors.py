# SPDX-License-Identifier: Apache-2.0
"""Sentence vectors of `squall classify --task embed` against transformers with the pooling of the folder's sentence-transformers files."""
import json
import subprocess
import tempfile
from pathlib import Path

from . import folders, texts

DIFFERENCE_MAX = 1e-5  # of one number of a vector of length 1


def is_cls(folder):
    config = Path(folder) / "1_Pooling" / "config.json"
    if not config.exists():
        return False
    given = json.loads(config.read_text())
    return given.get("pooling_mode") == "cls" or given.get("pooling_mode_cls_token", False)


def tokens_max(folder):
    config = Path(folder) / "sentence_bert_config.json"
    return json.loads(config.read_text())["max_seq_length"] if config.exists() else 128


def reference(folder, items):
    import torch
    from transformers import AutoModel

    model = AutoModel.from_pretrained(str(folder), dtype=torch.float32).eval()
    tokenizer = folders.tokenizer_of_folder(folder)
    tokenizer.enable_truncation(tokens_max(folder))
    for item in map(texts.tweet, items) if folders.is_tweet(folder) else items:
        ids = torch.tensor([tokenizer.encode(item).ids])
        with torch.inference_mode():
            hidden = model(input_ids=ids).last_hidden_state[0]
        vector = hidden[0] if is_cls(folder) else hidden.mean(0)
        yield (vector / vector.norm()).tolist()


def ours(binary, folder, items):
    with tempfile.TemporaryDirectory() as work:
        path = Path(work) / "texts.txt"
        path.write_bytes("".join(item + "\n" for item in items).encode())
        command = [str(binary), "classify", "--task", "embed", "--precision", "fp32", "--json", "--model", str(folder), str(path)]
        out = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    return [json.loads(line)["embedding"] for line in out.splitlines()]


def compare(binary, folder, items):
    """The largest difference of a number."""
    largest = 0.0
    for got, expected in zip(ours(binary, folder, items), reference(folder, items), strict=True):
        largest = max(largest, *(abs(a - b) for a, b in zip(got, expected, strict=True)))
    return largest


def run(binary, items, models):
    good = True
    print(f"{'sentence vectors of':44} {'texts':>8} {'largest difference':>18}")
    for folder in models:
        largest = compare(binary, folder, items)
        good = good and largest <= DIFFERENCE_MAX
        print(f"{folder.name:44} {len(items):8} {largest:18.2e}", flush=True)
    return 0 if good else 1
