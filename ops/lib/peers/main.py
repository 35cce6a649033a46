# SPDX-License-Identifier: Apache-2.0
"""ops/bench/peers: Squall against other engines on this machine."""
import argparse
import json
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
RESULTS = ROOT / "build" / "bench" / "peers.json"
PAGE = ROOT / "ops" / "docs" / "PERFORMANCE.md"

FIGURES = ["int8", "fp32", "avx2", "latency", "tokenizer", "stream", "cost"]
SHAPES = ["minilm", "base"]
ENGINES = ["ctranslate2", "openvino", "onnxruntime", "torch"]
ORDERS = ["arrival", "sorted"]
QUICK = {"only": ["int8", "fp32"], "shape": ["minilm"], "engines": ["ctranslate2", "openvino"], "rounds": 3, "seconds": 1.0}

DESCRIPTION = """Texts a second of Squall and of ONNX Runtime, OpenVINO, CTranslate2 and PyTorch, one thread each on one core, in turns. Each
engine is converted to and tuned as its documentation says, and has the best of several variants and batch sizes (remembered in
build/bench/tuned.json). Peers are timed on padded arrays of ids that are ready before the clock starts; Squall's figure includes tokenising, and a
second one leaves it out. Results are merged into build/bench/peers.json; unless --quick, ops/docs/PERFORMANCE.md gets its tables and plot from
there. Two minutes for --quick, about 15 for all, the first time more: conversion, and trying variants.
SQUALL_BINARY names another build than build/release/squall."""


def names(allowed):
    def parse(text):
        chosen = text.split(",")
        wrong = [name for name in chosen if name not in allowed]
        if wrong:
            raise argparse.ArgumentTypeError(f"'{wrong[0]}' is none of {', '.join(allowed)}")
        return chosen
    return parse


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(prog="ops/bench/peers", description=DESCRIPTION)
    listed = lambda flag, allowed, told: parser.add_argument(flag, type=names(allowed), metavar="A,B", help=f"{told}: {', '.join(allowed)} (all)")
    listed("--only", FIGURES, "figures to take")
    listed("--shape", SHAPES, "model shapes")
    listed("--engines", ENGINES, "peers")
    listed("--orders", ORDERS, "orders of the texts")
    parser.add_argument("--rounds", type=int, metavar="N", help="turns of each engine (5)")
    parser.add_argument("--seconds", type=float, metavar="S", help="at least so long a turn, in whole passes over the texts (1)")
    parser.add_argument("--core", type=int, metavar="N", default=1, help="the core that everything is pinned to (%(default)s)")
    parser.add_argument("--texts", type=Path, metavar="FILE", help="a text a line; without it, the tweets that the repository ships")
    parser.add_argument("--quick", action="store_true", help="int8 and fp32 of the default model against the two fastest peers, 3 rounds")
    parser.add_argument("--prepare", action="store_true", help="convert models and try settings, take no figures")
    parser.add_argument("--retune", action="store_true", help="try variants and batch sizes again")
    parser.add_argument("--report", action="store_true", help="only write the page anew from the JSON")
    chosen = parser.parse_args(arguments)
    defaults = {"only": FIGURES, "shape": SHAPES, "engines": ENGINES, "orders": ORDERS, "rounds": 5, "seconds": 1.0}
    for key, value in {**defaults, **(QUICK if chosen.quick else {})}.items():
        if getattr(chosen, key) is None:
            setattr(chosen, key, value)
    return chosen


def merge(results, parts, about):
    """Parts replace those of the same name; the others stay."""
    results["about"] = about
    results.setdefault("parts", {}).update(parts)
    return results


def read_results():
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def write_results(parts, about):
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(merge(read_results(), parts, about), indent=1) + "\n")


def measure(options):
    from . import figures, machine

    about = {"machine": machine.describe(), "versions": read_results().get("about", {}).get("versions", {})}
    for name, part in figures.all_of(options, about):
        part["revision"], part["at"] = machine.revision(ROOT), time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
        write_results({name: part}, about)


def main():
    options = parse_arguments()
    if not options.report:
        measure(options)
    if not (options.quick or options.prepare):
        from . import report

        report.rewrite(PAGE, read_results())
    return 0


if __name__ == "__main__":
    sys.exit(main())
