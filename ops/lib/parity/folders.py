# SPDX-License-Identifier: Apache-2.0
"""Model folders as Hugging Face's tools save them, made on the spot: the four BERT vocabularies in both forms, every architecture, random
weights."""
import json
import shutil
from pathlib import Path

from . import texts

# name: do_lower_case
VOCABULARIES = {
    "bert-base-uncased": True,
    "bert-base-cased": False,
    "bert-base-chinese": True,
    "bert-base-multilingual-cased": False,
}
TOKENIZER_FILES = ("tokenizer.json", "vocab.txt", "tokenizer_config.json", "special_tokens_map.json")
TINY = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "initializer_range": 0.3}
SEED = 20261123


def vocabulary_folder(name, work):
    """vocab.txt and tokenizer_config.json."""
    folder = Path(work) / f"{name}.vocab"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(texts.GOLDEN / "vocab" / f"{name}.txt", folder / "vocab.txt")
    config = {"do_lower_case": VOCABULARIES[name], "model_max_length": 512, "tokenizer_class": "BertTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


def tokenizer_of_folder(folder):
    """The `tokenizers.Tokenizer` of a folder: of its tokenizer.json, else what transformers makes of vocab.txt. Nothing cut or padded."""
    from tokenizers import Tokenizer
    from transformers import BertTokenizer

    if (Path(folder) / "tokenizer.json").exists():
        tokenizer = Tokenizer.from_file(str(Path(folder) / "tokenizer.json"))
    else:
        tokenizer = BertTokenizer.from_pretrained(str(folder)).backend_tokenizer
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def tokenizer_of(name, work):
    return tokenizer_of_folder(vocabulary_folder(name, work))


def tokenizer_files(folder):
    """What they hold, to tell whether two folders have the same tokenizer."""
    return tuple((folder / file).read_bytes() if (folder / file).exists() else None for file in TOKENIZER_FILES)


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


def with_tokenizer(name, form, folder, work):
    source = vocabulary_folder(name, work)
    folder.mkdir(parents=True, exist_ok=True)
    if form == "vocab.txt":
        for file in ("vocab.txt", "tokenizer_config.json"):
            shutil.copyfile(source / file, folder / file)
    else:
        tokenizer_of_folder(source).save(str(folder / "tokenizer.json"))
    return tokenizer_of_folder(folder).get_vocab_size()


def default_models(work):
    shipped = sorted(path.parent for path in (texts.ROOT / "engine" / "models").glob("*/config.json"))
    made = []
    for name in VOCABULARIES:
        for form in ("tokenizer.json", "vocab.txt"):
            folder = Path(work) / f"{name} {form}"
            random_weights(folder, bert_config(with_tokenizer(name, form, folder, work), **TINY))
            made.append(folder)
    for name, config in (("BERT-base shape", bert_config), ("DistilBERT shape", distilbert_config)):
        folder = Path(work) / name
        random_weights(folder, config(with_tokenizer("bert-base-uncased", "tokenizer.json", folder, work)))
        made.append(folder)
    for name in ARCHITECTURES:
        folder = Path(work) / name
        random_weights(folder, architecture_config(name, with_tokenizer("bert-base-uncased", "tokenizer.json", folder, work)))
        made.append(folder)
    return shipped + made


def twin(folder, work):
    """A folder with the same tokenizer and normalisation but tiny weights, for its ids alone."""
    if json.loads((folder / "config.json").read_text()).get("hidden_size") == TINY["hidden_size"]:
        return folder
    made = Path(work) / "twins" / folder.name
    made.mkdir(parents=True, exist_ok=True)
    for file in TOKENIZER_FILES:
        if (folder / file).exists():
            shutil.copyfile(folder / file, made / file)
    random_weights(made, bert_config(tokenizer_of_folder(folder).get_vocab_size(), **TINY))
    if is_tweet(folder):
        config = json.loads((made / "config.json").read_text())
        (made / "config.json").write_text(json.dumps({**config, "squall_normalise": "tweet"}))
    return made
