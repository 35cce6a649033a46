# SPDX-License-Identifier: Apache-2.0
"""How the default model is trained: which texts how often, the loss, the optimiser, and what is kept.

One run fine-tunes the base weights on all domains at once. What is kept is a running average of the weights, which is
steadier than the last of them. On the dev split, and there alone, is then chosen what to add to the logits of the
three classes; it goes into the classifier's bias.
"""

import os
import random
import time

import torch
from safetensors.torch import load_file, save_file

from encoder import LAYERS, WORD_EMBEDDINGS, Batch, Dropout, Encoder, base_weights
from texts import NEGATIVE, POSITIVE

SEED = 20261123
EPOCHS = 4
BATCH_TEXTS = 48
WINDOW_BATCHES = 6  # texts are drawn at random, then sorted by length within so many batches
TOKENS_MAX = 96
LEARNING_RATE = 8e-5
LAYER_DECAY = 0.9
WARMUP = 0.06
WEIGHT_DECAY = 0.01
ADAM_BETAS = (0.9, 0.98)
DROPOUT = 0.1
LABEL_SMOOTHING = 0.05
GRADIENT_NORM_MAX = 1.0
CLASS_WEIGHT_MAX = 2.5
AVERAGE_EVERY_STEPS = 10
AVERAGE_DECAY = 0.98

# How often a text of a domain is seen in an epoch; below 1 it is a chance.
REPEATS = {
    "tweets": 1,
    "finance": 2,
    "posts": 1,
    "products": 1,
    "editorials": 1,
    "films": 1,
    "phrases": 0.35,
}

# What a domain counts when the bias is chosen on the dev split.
DEV_DOMAINS = {"tweets": 1.0, "finance": 1.0, "posts": 0.5, "products": 0.25, "editorials": 0.25}


def encode(tokenizer, texts):
    """Token ids of each text, special ones included, cut as the product cuts: the last [SEP] stays."""
    ids = (e.ids for e in tokenizer.encode_batch([t.text for t in texts]))
    return [i if len(i) <= TOKENS_MAX else i[: TOKENS_MAX - 1] + i[-1:] for i in ids]


def class_weights(texts):
    """{domain: [3]}: inverse class frequency, capped, with a mean of 1 over the domain's texts."""
    weights = {}
    for domain in REPEATS:
        share = torch.tensor([t.target for t in texts if t.domain == domain]).mean(dim=0)
        weight = (1 / 3 / share.clamp(min=1e-6)).clamp(max=CLASS_WEIGHT_MAX)
        weights[domain] = weight / (weight * share).sum()
    return weights


def loss_of(logits, target, weight, binary):
    """Weighted cross-entropy; where neutral was no choice, only the other two logits are compared."""
    both = torch.log_softmax(logits[:, [NEGATIVE, POSITIVE]], dim=1)
    pair = torch.stack([both[:, 0], torch.zeros(len(both)), both[:, 1]], dim=1)
    log_p = torch.where(binary[:, None], pair, torch.log_softmax(logits, dim=1))
    return -(weight * (target * log_p).sum(dim=1)).sum() / weight.sum()


def epoch_batches(texts, encodings, rng):
    """Lists of text numbers, in random order, each of texts of like length."""
    numbers = []
    for i, t in enumerate(texts):
        repeats = REPEATS[t.domain]
        numbers += [i] * (int(repeats) + (rng.random() < repeats % 1))
    rng.shuffle(numbers)
    batches = []
    for start in range(0, len(numbers), BATCH_TEXTS * WINDOW_BATCHES):
        window = sorted(numbers[start : start + BATCH_TEXTS * WINDOW_BATCHES], key=lambda i: len(encodings[i]))
        batches += [window[i : i + BATCH_TEXTS] for i in range(0, len(window), BATCH_TEXTS)]
    rng.shuffle(batches)
    return batches


def optimisers(weights):
    """Adam; a layer learns the faster the nearer it is to the head; no decay on biases, norms and word embeddings.

    Word embeddings are half of all weights, and a batch touches a fiftieth of them: only those rows are updated.
    """
    groups = []
    for name, tensor in weights.items():
        depth = LAYERS + 1
        if "embeddings" in name:
            depth = 0
        elif ".layer." in name:
            depth = int(name.split(".layer.")[1].split(".")[0]) + 1
        rate = LEARNING_RATE * LAYER_DECAY ** (LAYERS + 1 - depth)
        if name == WORD_EMBEDDINGS:
            words = torch.optim.SparseAdam([{"params": [tensor], "lr": rate}], betas=ADAM_BETAS)
            continue
        decay = WEIGHT_DECAY if tensor.dim() > 1 and "LayerNorm" not in name else 0.0
        groups.append({"params": [tensor], "lr": rate, "weight_decay": decay})
    return torch.optim.AdamW(groups, betas=ADAM_BETAS, eps=1e-6, fused=True), words


def schedule(step, steps):
    warm = steps * WARMUP
    return min(1.0, (step + 1) / warm) * max(0.0, (steps - step) / max(1.0, steps - warm) if step > warm else 1.0)


@torch.no_grad()
def predict(encoder, encodings):
    """Logits [texts, 3]."""
    by_length = sorted(range(len(encodings)), key=lambda i: len(encodings[i]))
    logits = torch.empty(len(encodings), 3)
    for start in range(0, len(by_length), 128):
        part = by_length[start : start + 128]
        logits[part] = encoder.logits(Batch([encodings[i] for i in part]))
    return logits


def macro_recall(labels, predicted, classes=range(3)):
    recalls = [(predicted[labels == c] == c).float().mean().item() for c in classes if (labels == c).any()]
    return sum(recalls) / len(recalls)


def recalls_by_domain(texts, logits):
    result = {}
    for domain in DEV_DOMAINS:
        of = [i for i, t in enumerate(texts) if t.domain == domain]
        labels = torch.tensor([texts[i].label for i in of])
        result[domain] = macro_recall(labels, logits[of].argmax(dim=1))
    return result


def dev_score(texts, logits):
    recalls = recalls_by_domain(texts, logits)
    return sum(DEV_DOMAINS[d] * recalls[d] for d in DEV_DOMAINS) / sum(DEV_DOMAINS.values())


def _say(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def fine_tune(base_path, train, encodings, targets, dev, dev_encodings):
    """The averaged weights."""
    rng = random.Random(SEED + 1)
    average = base_weights(base_path, SEED)
    weights = {name: tensor.clone().requires_grad_() for name, tensor in average.items()}
    encoder = Encoder(weights)
    dropout = Dropout(DROPOUT, SEED + 1)
    adams = optimisers(weights)
    groups = [group for adam in adams for group in adam.param_groups]
    rates = [group["lr"] for group in groups]
    dense = [tensor for name, tensor in weights.items() if name != WORD_EMBEDDINGS]
    of_domain = class_weights(train)
    text_weights = torch.stack([of_domain[t.domain] @ torch.tensor(t.target) for t in train])
    binary = torch.tensor([t.binary for t in train])

    epochs = [epoch_batches(train, encodings, rng) for _ in range(EPOCHS)]
    steps = sum(map(len, epochs))
    step, tokens, loss_mean, began = 0, 0, 0.0, time.time()
    for epoch, batches in enumerate(epochs):
        for numbers in batches:
            for group, rate in zip(groups, rates):
                group["lr"] = rate * schedule(step, steps)
            batch = Batch([encodings[i] for i in numbers])
            loss = loss_of(encoder.logits(batch, dropout), targets[numbers], text_weights[numbers], binary[numbers])
            loss.backward()
            torch.nn.utils.clip_grad_norm_(dense, GRADIENT_NORM_MAX)
            for adam in adams:
                adam.step()
                adam.zero_grad()
            step += 1
            tokens += len(batch.ids)
            loss_mean += (loss.item() - loss_mean) / min(step, 200)
            if step % AVERAGE_EVERY_STEPS == 0:
                decay = min(AVERAGE_DECAY, 1 - 10 / (step + 10))
                with torch.no_grad():
                    for name, tensor in average.items():
                        tensor.lerp_(weights[name], 1 - decay)
            if step % 200 == 0:
                _say(
                    f"epoch {epoch + 1} step {step}/{steps} loss {loss_mean:.4f} "
                    f"{tokens / (time.time() - began):.0f} tokens/s"
                )
        for name, state in ("last", weights), ("average", average):
            recalls = recalls_by_domain(dev, predict(Encoder(state), dev_encodings))
            shown = " ".join(f"{d} {r:.4f}" for d, r in recalls.items())
            _say(f"epoch {epoch + 1}, dev macro-recall of the {name} weights: {shown}")
    return average


def tune_bias(dev, logits):
    """What to add to the logits [3]: the dev split's best, smoothed over its neighbours so that it isn't luck."""
    grid = [i * 0.05 for i in range(-10, 11)]
    scores = torch.tensor([[dev_score(dev, logits + torch.tensor([a, 0.0, b])) for b in grid] for a in grid])
    smooth = torch.nn.functional.avg_pool2d(scores[None, None], 5, 1, 2, count_include_pad=False)[0, 0]
    best = int(smooth.argmax())
    return torch.tensor([grid[best // len(grid)], 0.0, grid[best % len(grid)]])


def train_all(base_path, tokenizer, texts, work):
    """The shipped weights, fp32. What fine-tuning left under work is used again, not repeated."""
    train = [t for t in texts if t.split == "train"]
    dev = [t for t in texts if t.split == "dev"]
    dev_encodings = encode(tokenizer, dev)
    _say(f"seed {SEED}; {len(train)} texts to train on, {len(dev)} to choose on; {torch.get_num_threads()} threads")

    path = os.path.join(work, "fine-tuned.safetensors")
    if not os.path.exists(path):
        targets = torch.tensor([t.target for t in train]) * (1 - LABEL_SMOOTHING) + LABEL_SMOOTHING / 3
        weights = fine_tune(base_path, train, encode(tokenizer, train), targets, dev, dev_encodings)
        save_file(weights, path + ".new")
        os.replace(path + ".new", path)

    weights = load_file(path)
    logits = predict(Encoder(weights), dev_encodings)
    bias = tune_bias(dev, logits)
    weights["classifier.bias"] = weights["classifier.bias"] + bias
    _say(
        f"dev {dev_score(dev, logits):.4f}, with {bias.tolist()} added to the logits {dev_score(dev, logits + bias):.4f}"
    )
    return weights
