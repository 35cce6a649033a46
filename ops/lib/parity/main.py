# SPDX-License-Identifier: Apache-2.0
"""ops/parity: is `squall classify` the same as transformers?"""
import argparse
import os
import subprocess
import sys
from pathlib import Path

from . import texts

DESCRIPTION = """Token ids are compared for every text and every model; where a model is big, a twin of it with the same tokenizer and tiny
weights gives them. Probabilities (fp32) are compared for a sample, spread over the texts. Without --model: the default model, BERT-base and
DistilBERT shapes with random weights, a small random model of each other architecture, and one for each kind of tokenizer, once with
tokenizer.json and once with the files of the slow tokenizer. Exit code 1 when one id differs or a probability does by more than 1e-4."""


def parse_arguments():
    parser = argparse.ArgumentParser(prog="ops/parity", description=DESCRIPTION)
    parser.add_argument("--texts", type=Path, metavar="DIR", help="csv, tsv, txt and jsonl files; without it, the texts of the repository")
    parser.add_argument("--random", type=int, metavar="N", default=0, help="as many random Unicode strings besides")
    parser.add_argument("--seed", type=int, metavar="N", help="of the random strings; without it, a new one that is printed")
    parser.add_argument("--model", type=Path, metavar="DIR", action="append", default=[], help="a Hugging Face folder; may be repeated")
    parser.add_argument("--embed", type=Path, metavar="DIR", action="append", default=[],
                        help="compare sentence vectors of this folder, and nothing else; may be repeated")
    parser.add_argument("--probabilities-limit", type=int, metavar="N", default=1000, help="texts whose probabilities are compared (%(default)s)")
    parser.add_argument("--ids-limit", type=int, metavar="N", help="texts whose ids are compared; without it, all")
    parser.add_argument("--binary", type=Path, metavar="FILE", help="the squall to test (default: build/release/squall, built if it isn't there)")
    parser.add_argument("--update", action="store_true", help="write tests/golden/ids anew, and compare nothing")
    parser.add_argument("--update-vocab", action="store_true", help="train the small vocabularies of tests/golden/vocab anew, and compare nothing")
    parser.add_argument("--update-chars", action="store_true", help="write engine/tokenizer/*_table.h anew, and compare nothing")
    parser.add_argument("--update-probabilities", type=Path, metavar="FILE",
                        help="write tests/golden/probabilities anew with FILE, the write_model of a build with tests, and compare nothing")
    parser.add_argument("--only", metavar="NAME", action="append", default=[], help="with --update-probabilities: these models; may be repeated")
    return parser.parse_args()


def find_binary(given):
    binary = given or texts.ROOT / "build" / "release" / "squall"
    if not binary.exists():
        if given:
            sys.exit(f"ops/parity: {given} is not there")
        subprocess.run(["cmake", "--workflow", "--preset", "release"], cwd=texts.ROOT, stdout=sys.stderr, check=True)
    return binary


def read_texts(folder):
    """One text a line is what classify reads, so line ends in a text become spaces."""
    if folder and not folder.is_dir():
        sys.exit(f"ops/parity: {folder} is not a folder")
    files = texts.of_folder(folder) if folder else ((name, list(read())) for name, read in texts.SOURCES.items())
    found = []
    for name, items in files:
        print(f"{len(items):8}  {name}", flush=True)
        found += [text.replace("\n", " ") for text in items]
    if not found:
        sys.exit(f"ops/parity: no texts in {folder}: csv, tsv, txt and jsonl files are read")
    return found


def main():
    arguments = parse_arguments()
    if arguments.update_chars:
        from . import chars

        chars.write(texts.ROOT / "engine" / "tokenizer")
    if arguments.update_vocab:
        from . import vocabularies

        vocabularies.write()
    if arguments.update:
        from . import golden

        for name, count in golden.update().items():
            print(f"{count:8}  {name}")
    if arguments.update_probabilities:
        from . import probabilities

        probabilities.update(arguments.update_probabilities, arguments.only)
    if arguments.update or arguments.update_vocab or arguments.update_chars or arguments.update_probabilities:
        return 0

    from transformers.utils import logging

    from . import compare

    logging.disable_progress_bar()
    if arguments.embed:
        from . import vectors

        items = compare.sample(read_texts(arguments.texts), arguments.probabilities_limit)
        return vectors.run(find_binary(arguments.binary), items, [folder.resolve() for folder in arguments.embed])
    items = read_texts(arguments.texts)
    if arguments.random:
        seed = int.from_bytes(os.urandom(4), "little") if arguments.seed is None else arguments.seed
        print(f"{arguments.random:8}  random strings, --seed {seed}", flush=True)
        items += texts.unicode_texts(arguments.random, seed)
    return compare.run(find_binary(arguments.binary), items, arguments)


if __name__ == "__main__":
    sys.exit(main())
