# SPDX-License-Identifier: Apache-2.0
"""Model folders as Hugging Face's tools save them, made on the spot: the four BERT vocabularies in both forms, random weights."""
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


def vocabulary_folder(name, work):
    """vocab.txt and tokenizer_config.json."""
    folder = Path(work) / f"{name}.vocab"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(texts.GOLDEN / "vocab" / f"{name}.txt", folder / "vocab.txt")
    config = {"do_lower_case": VOCABULARIES[name], "model_max_length": 512, "tokenizer_class": "BertTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


def transformers_tokenizer(folder):
    from transformers import BertTokenizer

    return BertTokenizer.from_pretrained(str(folder))


def tokenizer_of(name, work):
    """The `tokenizers.Tokenizer` that transformers makes of a vocabulary; nothing cut, nothing padded."""
    backend = transformers_tokenizer(vocabulary_folder(name, work)).backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    return backend
