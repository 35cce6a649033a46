# SPDX-License-Identifier: Apache-2.0
"""Metrics of a model folder on the test split, through transformers: nothing is shared with the code that trained it."""

import json

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from texts import LABELS, NEGATIVE, NEUTRAL, POSITIVE

BATCH_TEXTS = 64


@torch.no_grad()
def predict_folder(folder, texts):
    """Label numbers in the order of LABELS, and which of negative and positive is the likelier, one a text."""
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModelForSequenceClassification.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
    model.eval()
    column = {name.lower(): int(i) for i, name in model.config.id2label.items()}
    columns = [column[label] for label in LABELS]
    order = sorted(range(len(texts)), key=lambda i: len(texts[i].text))
    logits = torch.empty(len(texts), 3)
    for start in range(0, len(order), BATCH_TEXTS):
        part = order[start : start + BATCH_TEXTS]
        inputs = tokenizer(
            [texts[i].text for i in part], padding=True, truncation=True, max_length=512, return_tensors="pt"
        )
        logits[part] = model(**inputs).logits[:, columns]
    return logits


def choices(texts, logits):
    """The label number a text gets; where neutral was no choice for the people who labelled, it is none here."""
    chosen = []
    for text, row in zip(texts, logits):
        if text.binary:
            row = row.clone()
            row[NEUTRAL] = float("-inf")
        chosen.append(int(row.argmax()))
    return chosen


def domain_metrics(texts, chosen):
    confusion = [[0] * 3 for _ in LABELS]
    for text, label in zip(texts, chosen):
        confusion[text.label][label] += 1
    present = [i for i in (NEGATIVE, NEUTRAL, POSITIVE) if sum(confusion[i])]
    recall = {LABELS[i]: confusion[i][i] / sum(confusion[i]) for i in present}
    column = [sum(row[i] for row in confusion) for i in range(3)]
    f1 = [2 * confusion[i][i] / max(1, sum(confusion[i]) + column[i]) for i in present]
    return {
        "texts": len(texts),
        "macro_recall": sum(recall.values()) / len(present),
        "macro_f1": sum(f1) / len(present),
        "accuracy": sum(confusion[i][i] for i in present) / len(texts),
        "recall": recall,
        "negative_share": {"labelled": sum(confusion[0]) / len(texts), "predicted": column[0] / len(texts)},
        "confusion": confusion,
    }


def metrics(texts, chosen):
    result = {}
    for domain in dict.fromkeys(t.domain for t in texts):
        of = [i for i, t in enumerate(texts) if t.domain == domain]
        result[domain] = domain_metrics([texts[i] for i in of], [chosen[i] for i in of])
    return result


def show(result):
    """Markdown tables, as in the model card."""
    print("| domain | texts | macro-recall | macro-F1 | accuracy | recall negative / neutral / positive |")
    print("| --- | --- | --- | --- | --- | --- |")
    for domain, m in result.items():
        recalls = " / ".join(f"{m['recall'][label]:.3f}" if label in m["recall"] else "-" for label in LABELS)
        print(
            f"| {domain} | {m['texts']} | {m['macro_recall']:.4f} | {m['macro_f1']:.4f} | {m['accuracy']:.4f} | {recalls} |"
        )
    print("\nConfusion: a row for each label given by people, a column for each predicted.\n")
    print("| domain | labelled | negative | neutral | positive |")
    print("| --- | --- | --- | --- | --- |")
    for domain, m in result.items():
        for label, row in zip(LABELS, m["confusion"]):
            if sum(row):
                print(f"| {domain} | {label} | {row[0]} | {row[1]} | {row[2]} |")


def write_holdout(path, texts):
    with open(path, "w", encoding="utf-8") as f:
        for t in texts:
            row = {"domain": t.domain, "label": LABELS[t.label], "binary": t.binary, "text": t.raw}
            f.write(json.dumps(row, ensure_ascii=False) + "\n")


def read_scored(path, texts):
    """Logits from the output of `squall classify --json` on the held-out texts, in their order."""
    with open(path, encoding="utf-8") as f:
        rows = [json.loads(line)["scores"] for line in f]
    if len(rows) != len(texts):
        raise SystemExit(f"{path}: {len(rows)} lines for {len(texts)} held-out texts")
    return torch.tensor([[row[label] for label in LABELS] for row in rows]).log()
