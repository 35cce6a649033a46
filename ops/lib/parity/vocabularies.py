# SPDX-License-Identifier: Apache-2.0
"""Trains the small vocabularies in tests/golden/vocab that no one ships at this size: byte-level BPE and a unigram model with SentencePiece's
character map, both on the shipped texts."""
import tempfile
from pathlib import Path

from . import texts

VOCAB = texts.GOLDEN / "vocab"
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
SOURCES = ("vader", "finance", "chinese")
ENTRIES = 3000


def train_bpe(items):
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=ENTRIES, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(items, trainer)
    tokenizer.model.save(str(VOCAB), "bpe")
    (VOCAB / "bpe-vocab.json").rename(VOCAB / "bpe.vocab.json")
    (VOCAB / "bpe-merges.txt").rename(VOCAB / "bpe.merges.txt")


def train_unigram(items):
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2

    with tempfile.TemporaryDirectory() as work:
        source, prefix = Path(work) / "texts.txt", Path(work) / "unigram"
        source.write_text("".join(text.replace("\n", " ") + "\n" for text in items))
        sentencepiece.SentencePieceTrainer.train(input=str(source), model_prefix=str(prefix), vocab_size=ENTRIES, model_type="unigram",
                                                 normalization_rule_name="nmt_nfkc", character_coverage=0.998, minloglevel=2)
        model = sentencepiece_model_pb2.ModelProto.FromString(prefix.with_suffix(".model").read_bytes())
        del model.trainer_spec.input[:]  # this machine's paths
        model.trainer_spec.model_prefix = ""
        (VOCAB / "unigram.model").write_bytes(model.SerializeToString(deterministic=True))


def write():
    items = [text for source in SOURCES for text in texts.SOURCES[source]()]
    train_bpe(items)
    train_unigram(items)
