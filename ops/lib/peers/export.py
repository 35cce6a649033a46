# SPDX-License-Identifier: Apache-2.0
"""What more than one peer needs of a Hugging Face folder: its shape, its PyTorch model, its ONNX graph; and padded ids."""
import json
import warnings

import numpy

OPSET = 20


def shape_of(folder):
    return json.loads((folder / "config.json").read_text())


def padded(rows, dtype=numpy.int64):
    """(ids, mask) [texts, length of the longest]; BERT's padding id is 0."""
    ids = numpy.zeros((len(rows), max(map(len, rows))), dtype)
    mask = numpy.zeros_like(ids)
    for at, row in enumerate(rows):
        ids[at, : len(row)] = row
        mask[at, : len(row)] = 1
    return ids, mask


def torch_model(folder, attention):
    import torch
    from transformers import AutoModelForSequenceClassification
    from transformers.utils import logging

    logging.disable_progress_bar()
    return AutoModelForSequenceClassification.from_pretrained(folder, attn_implementation=attention, dtype=torch.float32).eval()


def onnx_file(folder, work):
    """The graph as traced: the tracing exporter leaves the patterns that ONNX Runtime's optimizer knows how to fuse."""
    import torch

    path = work / "traced.onnx"
    if path.exists():
        return path
    names = ["input_ids", "attention_mask", "token_type_ids"]
    model = torch_model(folder, "eager")

    class Logits(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, ids, mask, types):
            return self.model(input_ids=ids, attention_mask=mask, token_type_ids=types).logits

    ids, mask = (torch.from_numpy(array) for array in padded([range(1, 10), range(1, 6)]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(Logits(), (ids, mask, torch.zeros_like(ids)), str(path), dynamo=False, opset_version=OPSET, input_names=names,
                          output_names=["logits"], dynamic_axes={name: {0: "texts", 1: "tokens"} for name in names})
    return path
