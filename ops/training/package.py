# SPDX-License-Identifier: Apache-2.0
"""The folder that ships: a plain Hugging Face folder, F16 weights, no truncation or padding baked in."""

import json
import os
import shutil

import torch
from safetensors.torch import save_file

from encoder import HEADS, HIDDEN, LAYER_NORM_EPS, LAYERS
from texts import LABELS

POSITIONS = 512

CONFIG = {
    "architectures": ["BertForSequenceClassification"],
    "model_type": "bert",
    "squall_normalise": "tweet",
    "id2label": {str(i): label for i, label in enumerate(LABELS)},
    "label2id": {label: i for i, label in enumerate(LABELS)},
    "problem_type": "single_label_classification",
    "vocab_size": 30522,
    "hidden_size": HIDDEN,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "intermediate_size": 4 * HIDDEN,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
    "initializer_range": 0.02,
    "layer_norm_eps": LAYER_NORM_EPS,
    "max_position_embeddings": POSITIONS,
    "position_embedding_type": "absolute",
    "type_vocab_size": 2,
    "pad_token_id": 0,
    # F16 is how the weights are stored; the metrics are those of fp32 arithmetic.
    "torch_dtype": "float32",
}

TOKENIZER_CONFIG = {
    "tokenizer_class": "BertTokenizer",
    "do_lower_case": True,
    "strip_accents": None,
    "tokenize_chinese_chars": True,
    "model_max_length": POSITIONS,
    "unk_token": "[UNK]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "mask_token": "[MASK]",
}


def write_folder(out, weights, tokenizer, vocabulary_path):
    os.makedirs(out, exist_ok=True)
    for name, content in ("config.json", CONFIG), ("tokenizer_config.json", TOKENIZER_CONFIG):
        with open(os.path.join(out, name), "w", encoding="utf-8") as f:
            f.write(json.dumps(content, indent=2) + "\n")
    tokenizer.save(os.path.join(out, "tokenizer.json"))
    shutil.copyfile(vocabulary_path, os.path.join(out, "vocab.txt"))
    half = {name: tensor.detach().to(torch.float16).contiguous() for name, tensor in weights.items()}
    path = os.path.join(out, "model.safetensors")
    save_file(half, path, metadata={"format": "pt"})
    os.chmod(path, 0o644)  # save_file leaves it to its owner alone
