# SPDX-License-Identifier: Apache-2.0
"""A BERT folder of a few kilobytes whose label follows from words ("bad", "good", else neutral), for tests that are about records. The
weights are those of tests/lib/tiny_model.c, which says why they work."""
import json
import struct

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "bad", "good", "the", "phone", "is", "a", "and", "very", "."]
HIDDEN, POSITIONS = 8, 64


def matrix(rows, columns, value):
    return [rows, columns], [value(row, column) for row in range(rows) for column in range(columns)]


def vector(count, value):
    return [count], [value(i) for i in range(count)]


def word(row, column):
    if WORDS[row] == "bad":
        return 4.0 if column == 0 else 0.0
    if WORDS[row] == "good":
        return 4.0 if column == 1 else 0.0
    return 0.05 if column == 2 else 0.0


def classify(row, column):
    return {(0, 0): 20.0, (2, 1): 20.0, (0, 3): -20.0, (2, 3): -20.0}.get((row, column), 0.0)


def tensors():
    def square(scale):
        return matrix(HIDDEN, HIDDEN, lambda row, column: scale if row == column else 0.0)

    zeros, ones = vector(HIDDEN, lambda i: 0.0), vector(HIDDEN, lambda i: 1.0)
    layer = "bert.encoder.layer.0."
    yield "bert.embeddings.word_embeddings.weight", matrix(len(WORDS), HIDDEN, word)
    yield "bert.embeddings.position_embeddings.weight", matrix(POSITIONS, HIDDEN, lambda row, column: 0.0)
    yield "bert.embeddings.token_type_embeddings.weight", matrix(2, HIDDEN, lambda row, column: 0.0)
    for norm in ("bert.embeddings", layer + "attention.output", layer + "output"):
        yield norm + ".LayerNorm.weight", ones
        yield norm + ".LayerNorm.bias", zeros
    for name, scale in (("attention.self.query", 0.0), ("attention.self.key", 0.0), ("attention.self.value", 30.0),
                        ("attention.output.dense", 1.0), ("intermediate.dense", 0.0), ("output.dense", 0.0)):
        yield layer + name + ".weight", square(scale)
        yield layer + name + ".bias", zeros
    yield "bert.pooler.dense.weight", square(1.0)
    yield "bert.pooler.dense.bias", zeros
    yield "classifier.weight", matrix(3, HIDDEN, classify)
    yield "classifier.bias", vector(3, lambda i: 1.0 if i == 1 else 0.0)


def write(folder):
    folder.mkdir(parents=True, exist_ok=True)
    header, data = {}, b""
    for name, (shape, values) in tensors():
        raw = struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": true}')
    (folder / "config.json").write_text(json.dumps({
        "architectures": ["BertForSequenceClassification"], "model_type": "bert", "hidden_size": HIDDEN, "num_hidden_layers": 1,
        "num_attention_heads": 2, "intermediate_size": HIDDEN, "hidden_act": "gelu", "max_position_embeddings": POSITIONS,
        "vocab_size": len(WORDS), "type_vocab_size": 2, "layer_norm_eps": 1e-12,
        "id2label": {"0": "negative", "1": "neutral", "2": "positive"}}))
    return folder
