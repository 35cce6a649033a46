# SPDX-License-Identifier: Apache-2.0
"""Model folders as Hugging Face's tools save them, made on the spot: every kind and form of tokenizer, every architecture, random weights."""
import json
import shutil
from pathlib import Path

from . import texts
from .tokenizers_made import FILES, forms, slow_folder, tokenizer_of_folder

TINY = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "initializer_range": 0.3}
SEED = 20261123


def tokenizer_files(folder):
    """What they hold, to tell whether two folders have the same tokenizer."""
    return tuple((folder / file).read_bytes() if (folder / file).exists() else None for file in FILES)


def is_tweet(folder):
    config = Path(folder) / "config.json"
    return config.exists() and json.loads(config.read_text()).get("squall_normalise") == "tweet"


def random_weights(folder, config):
    """Wide enough apart that the probabilities of different texts differ."""
    import torch
    from transformers import AutoModelForSequenceClassification

    torch.manual_seed(SEED)
    model = AutoModelForSequenceClassification.from_config(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "LayerNorm" in name or "layer_norm" in name:
                parameter.add_(torch.randn_like(parameter) * 0.1)
            elif "relative_attention_bias" in name:
                parameter.normal_(0, 1)
            elif name.endswith(".bias"):
                parameter.normal_(0, 0.05)
            elif name.startswith("classifier"):
                parameter.normal_(0, 2 / config.hidden_size**0.5)
    model.save_pretrained(folder)


# name: (class of its configuration, what is not usual about it). Wide enough to be worth comparing, few layers to be quick.
SHAPE = {"hidden_size": 256, "num_hidden_layers": 4, "num_attention_heads": 8, "intermediate_size": 1024, "initializer_range": 0.05}
ARCHITECTURES = {
    "RoBERTa": ("RobertaConfig", {"max_position_embeddings": 514, "type_vocab_size": 1, "layer_norm_eps": 1e-5}),
    "XLM-RoBERTa": ("XLMRobertaConfig", {"max_position_embeddings": 514, "type_vocab_size": 1, "layer_norm_eps": 1e-5, "num_labels": 1}),
    "CamemBERT": ("CamembertConfig", {"max_position_embeddings": 514, "type_vocab_size": 1, "layer_norm_eps": 1e-5}),
    "ELECTRA": ("ElectraConfig", {"embedding_size": 256}),
    "ELECTRA small, multi-label": ("ElectraConfig", {"embedding_size": 128, "num_labels": 28, "problem_type": "multi_label_classification"}),
    "MPNet": ("MPNetConfig", {"max_position_embeddings": 514, "layer_norm_eps": 1e-5}),
    "MPNet, regression": ("MPNetConfig", {"max_position_embeddings": 514, "num_labels": 1, "problem_type": "regression"}),
    "ALBERT": ("AlbertConfig", {"embedding_size": 128, "num_hidden_groups": 2}),
}


def architecture_config(name, vocab_size):
    import transformers

    class_name, particulars = ARCHITECTURES[name]
    return getattr(transformers, class_name)(vocab_size=vocab_size, **{"num_labels": 3, **SHAPE, **particulars})


def bert_config(vocab_size, **shape):
    from transformers import BertConfig

    return BertConfig(vocab_size=vocab_size, num_labels=3, **{"initializer_range": 0.05, **shape})


def distilbert_config(vocab_size):
    from transformers import DistilBertConfig

    return DistilBertConfig(vocab_size=vocab_size, num_labels=3, initializer_range=0.05)


def with_uncased(folder, work):
    """bert-base-uncased's tokenizer.json; how many entries it has."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = tokenizer_of_folder(slow_folder("bert-base-uncased", work))
    tokenizer.save(str(folder / "tokenizer.json"))
    return tokenizer.get_vocab_size()


def default_models(work):
    shipped = sorted(path.parent for path in (texts.ROOT / "engine" / "models").glob("*/config.json"))
    made = []
    for name, write in forms(work):
        folder = Path(work) / name
        write(folder)
        random_weights(folder, bert_config(tokenizer_of_folder(folder).get_vocab_size(), **TINY))
        made.append(folder)
    for name, config in (("BERT-base shape", bert_config), ("DistilBERT shape", distilbert_config)):
        folder = Path(work) / name
        random_weights(folder, config(with_uncased(folder, work)))
        made.append(folder)
    for name in ARCHITECTURES:
        folder = Path(work) / name
        random_weights(folder, architecture_config(name, with_uncased(folder, work)))
        made.append(folder)
    return shipped + made


def twin(folder, work):
    """A folder with the same tokenizer and normalisation but tiny weights, for its ids alone."""
    if json.loads((folder / "config.json").read_text()).get("hidden_size") == TINY["hidden_size"]:
        return folder
    made = Path(work) / "twins" / folder.name
    made.mkdir(parents=True, exist_ok=True)
    for file in FILES:
        if (folder / file).exists():
            shutil.copyfile(folder / file, made / file)
    random_weights(made, bert_config(tokenizer_of_folder(folder).get_vocab_size(), **TINY))
    if is_tweet(folder):
        config = json.loads((made / "config.json").read_text())
        (made / "config.json").write_text(json.dumps({**config, "squall_normalise": "tweet"}))
    return made
