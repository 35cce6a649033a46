# SPDX-License-Identifier: Apache-2.0
"""Tokenizer folders of every kind that Squall reads, made on the spot from tests/golden/vocab: once with the files of the slow tokenizer, once
with the tokenizer.json that transformers makes of them, and variants of tokenizer.json that other models have."""
import json
import shutil
from pathlib import Path

from . import texts

VOCAB = texts.GOLDEN / "vocab"
FILES = ("tokenizer.json", "vocab.txt", "vocab.json", "merges.txt", "sentencepiece.bpe.model", "tokenizer_config.json", "special_tokens_map.json")
BPE = {"vocab.json": "bpe.vocab.json", "merges.txt": "bpe.merges.txt"}
UNIGRAM = {"sentencepiece.bpe.model": "unigram.model"}

# name: (tokenizer_class, settings, {file in the folder: file in VOCAB})
TOKENIZERS = {
    "bert-base-uncased": ("BertTokenizer", {"do_lower_case": True}, {"vocab.txt": "bert-base-uncased.txt"}),
    "bert-base-cased": ("BertTokenizer", {"do_lower_case": False}, {"vocab.txt": "bert-base-cased.txt"}),
    "bert-base-chinese": ("BertTokenizer", {"do_lower_case": True}, {"vocab.txt": "bert-base-chinese.txt"}),
    "bert-base-multilingual-cased": ("BertTokenizer", {"do_lower_case": False}, {"vocab.txt": "bert-base-multilingual-cased.txt"}),
    "electra": ("ElectraTokenizer", {}, {"vocab.txt": "bert-base-uncased.txt"}),
    "mpnet": ("MPNetTokenizer", {}, {"vocab.txt": "bert-base-uncased.txt"}),
    "roberta": ("RobertaTokenizer", {}, BPE),
    "roberta with a space": ("RobertaTokenizer", {"add_prefix_space": True}, BPE),
    "xlm-roberta": ("XLMRobertaTokenizer", {}, UNIGRAM),
    "camembert": ("CamembertTokenizer", {}, UNIGRAM),
}
MPNET_NAMES = {"[PAD]": "<pad>", "[CLS]": "<s>", "[SEP]": "</s>", "[MASK]": "<mask>"}


def slow_folder(name, work, vocab=VOCAB):
    """The files of the slow tokenizer."""
    tokenizer_class, settings, files = TOKENIZERS[name]
    folder = Path(work) / f"{name}.slow"
    folder.mkdir(parents=True, exist_ok=True)
    for file, source in files.items():
        shutil.copyfile(vocab / source, folder / file)
    if name == "mpnet":
        lines = (folder / "vocab.txt").read_text().split("\n")
        (folder / "vocab.txt").write_text("\n".join(MPNET_NAMES.get(line, line) for line in lines))
    config = {"model_max_length": 512, "tokenizer_class": tokenizer_class, **settings}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


def tokenizer_of_folder(folder):
    """The `tokenizers.Tokenizer` of a folder: of its tokenizer.json, else what transformers makes of the slow files. Nothing cut or padded."""
    import transformers
    from tokenizers import Tokenizer

    if (Path(folder) / "tokenizer.json").exists():
        tokenizer = Tokenizer.from_file(str(Path(folder) / "tokenizer.json"))
    else:
        name = json.loads((Path(folder) / "tokenizer_config.json").read_text())["tokenizer_class"].removesuffix("Fast")
        name = {"ElectraTokenizer": "BertTokenizer"}.get(name, name)  # the same class today
        tokenizer = getattr(transformers, name).from_pretrained(str(folder)).backend_tokenizer
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def tokenizer_of(name, work):
    return tokenizer_of_folder(slow_folder(name, work))


# ---- what other models' tokenizer.json have ----

METASPACE = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True}
SPACES = {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}


def sequence(*steps):
    return {"type": "Sequence", "normalizers": list(steps)}


def quotes(text):
    return {"type": "Replace", "pattern": {"String": text}, "content": '"'}


def added(content, **flags):
    token = {"id": 0, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": True, "special": False}
    return {**token, **flags}


# name: (tokenizer whose tokenizer.json is changed, what changes it)
VARIANTS = {
    "albert": ("xlm-roberta", lambda root, charsmap: root.update(
        normalizer=sequence(quotes("``"), quotes("''"), {"type": "NFKD"}, {"type": "StripAccents"}, {"type": "Lowercase"}, charsmap))),
    "xlm-roberta of transformers 4": ("xlm-roberta", lambda root, charsmap: root.update(
        normalizer=sequence(charsmap, SPACES), pre_tokenizer=METASPACE)),
    "one word": ("xlm-roberta", lambda root, charsmap: root.update(
        normalizer=sequence({"type": "Strip", "strip_left": True, "strip_right": True}, charsmap, {"type": "NFC"}),
        pre_tokenizer={**METASPACE, "split": False})),
    "first word": ("xlm-roberta", lambda root, charsmap: root.update(pre_tokenizer={**METASPACE, "prepend_scheme": "first"})),
    "nmt": ("camembert", lambda root, charsmap: root.update(
        normalizer=sequence({"type": "Nmt"}, {"type": "NFKC"}, SPACES), pre_tokenizer=METASPACE)),
    "byte fallback": ("xlm-roberta", lambda root, charsmap: root["model"].update(
        byte_fallback=True, vocab=root["model"]["vocab"] + [[f"<0x{byte:02X}>", -20.0] for byte in range(256)])),
    "roberta, added tokens": ("roberta", lambda root, charsmap: root.update(
        normalizer={"type": "NFC"}, added_tokens=root["added_tokens"] + [added("Caf\u00e9 x", rstrip=True), added("ab", single_word=True)])),
    "bert, normal form": ("bert-base-uncased", lambda root, charsmap: root.update(
        normalizer=sequence({"type": "NFKC"}, root["normalizer"]), added_tokens=root["added_tokens"] + [added("Caf\u00e9 x", lstrip=True)])),
}


def variant(name, work):
    source, change = VARIANTS[name]
    root = json.loads(tokenizer_of(source, work).to_str())
    change(root, root.get("normalizer"))
    return json.dumps(root)


def forms(work):
    """(name, what writes the tokenizer's files into a folder) for every kind and form."""
    for name in TOKENIZERS:
        source = slow_folder(name, work)
        yield f"{name}, slow files", lambda folder, source=source: shutil.copytree(source, folder)
        yield f"{name}, tokenizer.json", lambda folder, source=source: write_json(folder, tokenizer_of_folder(source).to_str())
    for name in VARIANTS:
        yield name, lambda folder, name=name: write_json(folder, variant(name, work))


def write_json(folder, text):
    folder.mkdir(parents=True)
    (folder / "tokenizer.json").write_text(text)
