# SPDX-License-Identifier: Apache-2.0
"""A BERT encoder for training on CPUs: packed texts, bf16 matrix products, fp32 weights.

The texts of a batch lie one behind the other, without padding, sorted by length, so that attention can take all texts
of one length in one call, without a mask. Dropout reads its masks at random places of one table, because drawing them
costs more time on a CPU than the matrix products they follow. Parameter names are those of Hugging Face's BERT.
"""

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

LAYERS, HIDDEN, HEADS = 6, 384, 12
LAYER_NORM_EPS = 1e-12
WORD_EMBEDDINGS = "bert.embeddings.word_embeddings.weight"  # its gradient is sparse
DROPOUT_TABLE_SIZE = 1 << 24


class Dropout:
    def __init__(self, p, seed):
        self.generator = torch.Generator().manual_seed(seed)
        kept = torch.rand(DROPOUT_TABLE_SIZE, generator=self.generator) >= p
        self.table = (kept / (1 - p)).to(torch.bfloat16)

    def __call__(self, x):
        start = int(torch.randint(DROPOUT_TABLE_SIZE - x.numel(), (1,), generator=self.generator))
        return x * self.table[start : start + x.numel()].view_as(x)


class Batch:
    """ids and positions [tokens]; groups: (texts, tokens a text) from short to long; order: where each text came from."""

    def __init__(self, encodings):
        self.order = sorted(range(len(encodings)), key=lambda i: len(encodings[i]))
        self.groups = []
        for i in self.order:
            length = len(encodings[i])
            count = self.groups.pop()[0] if self.groups and self.groups[-1][1] == length else 0
            self.groups.append((count + 1, length))
        self.ids = torch.tensor([t for i in self.order for t in encodings[i]])
        self.positions = torch.cat([torch.arange(length).repeat(count) for count, length in self.groups])
        lengths = torch.tensor([length for count, length in self.groups for _ in range(count)])
        self.firsts = torch.cumsum(lengths, 0) - lengths


def base_weights(path, seed):
    """{name: fp32 tensor} of the base model, with a new classification layer."""
    weights = {"bert." + name: t.float() for name, t in load_file(path).items() if not name.endswith("position_ids")}
    weights["classifier.weight"] = torch.randn(3, HIDDEN, generator=torch.Generator().manual_seed(seed)) * 0.02
    weights["classifier.bias"] = torch.zeros(3)
    return weights


class Encoder:
    def __init__(self, weights):
        self.weights = weights

    def _linear(self, x, name):
        w = self.weights
        return F.linear(x, w[name + ".weight"].to(x.dtype), w[name + ".bias"].to(x.dtype))

    def _layer_norm(self, x, name):
        w = self.weights
        return F.layer_norm(
            x, (HIDDEN,), w[name + ".weight"].to(x.dtype), w[name + ".bias"].to(x.dtype), LAYER_NORM_EPS
        )

    def _embed(self, batch):
        w, name = self.weights, "bert.embeddings."
        x = F.embedding(batch.ids, w[WORD_EMBEDDINGS], sparse=True)
        x = x + F.embedding(batch.positions, w[name + "position_embeddings.weight"])
        x = x + w[name + "token_type_embeddings.weight"][0]
        return self._layer_norm(x, name + "LayerNorm").to(torch.bfloat16)

    def _attend(self, x, batch, name):
        w = self.weights
        parts = [name + ".attention.self." + part for part in ("query", "key", "value")]
        weight = torch.cat([w[p + ".weight"] for p in parts]).to(x.dtype)
        bias = torch.cat([w[p + ".bias"] for p in parts]).to(x.dtype)
        qkv = F.linear(x, weight, bias)
        contexts = []
        for (count, length), part in zip(batch.groups, qkv.split([count * length for count, length in batch.groups])):
            part = part.view(count, length, 3, HEADS, HIDDEN // HEADS).float()
            q, k, v = (each.transpose(1, 2) for each in part.unbind(2))
            scores = q @ k.transpose(2, 3) * (HIDDEN // HEADS) ** -0.5
            context = torch.softmax(scores, dim=-1) @ v
            contexts.append(context.transpose(1, 2).reshape(count * length, HIDDEN).to(x.dtype))
        return torch.cat(contexts)

    def logits(self, batch, dropout=None):
        """[texts, 3] in fp32, in the order the texts were given."""
        drop = dropout or (lambda x: x)
        x = drop(self._embed(batch))
        for layer in range(LAYERS):
            name = f"bert.encoder.layer.{layer}"
            context = self._attend(x, batch, name)
            x = x + drop(self._linear(context, name + ".attention.output.dense"))
            x = self._layer_norm(x, name + ".attention.output.LayerNorm")
            inner = F.gelu(self._linear(x, name + ".intermediate.dense"))
            x = x + drop(self._linear(inner, name + ".output.dense"))
            x = self._layer_norm(x, name + ".output.LayerNorm")
        pooled = torch.tanh(self._linear(x[batch.firsts].float(), "bert.pooler.dense"))
        logits = self._linear(drop(pooled), "classifier")
        back = torch.empty(len(batch.order), dtype=torch.long)
        back[torch.tensor(batch.order)] = torch.arange(len(batch.order))
        return logits[back]
