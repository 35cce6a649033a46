# SPDX-License-Identifier: Apache-2.0
"""Which figures there are, and what is said while they are taken."""
import sys

from . import peer, rounds, stream, tokenizing, tune
from .material import Material

# figure: the parts it consists of, each with what takes it, the precision and the instruction set
PARTS = {
    "int8": {"throughput/{}/int8": (rounds.throughput, "int8", "best")},
    "fp32": {"throughput/{}/fp32": (rounds.throughput, "fp32", "best")},
    "avx2": {"throughput/{}/avx2": (rounds.throughput, "int8", "avx2")},
    "latency": {"latency/{}/int8": (rounds.latency, "int8", "best"), "latency/{}/fp32": (rounds.latency, "fp32", "best")},
}
# figures that have one part, of the default model
ALONE = {"tokenizer": tokenizing.part, "stream": stream.against_python, "cost": stream.against_bench}


def say(text):
    print(text, file=sys.stderr, flush=True)


def prepared(shape, options, about):
    material = Material(shape, options.texts)
    for engine in options.engines:
        say(f"convert   {engine}, {shape}")
        material.versions[engine] = about["versions"][engine] = peer.convert(engine, material)
    return material


def try_settings(material, options):
    wanted = {(precision, isa) for figure in options.only for _, precision, isa in PARTS.get(figure, {}).values()}
    for precision, isa in sorted(wanted):
        for engine in options.engines:
            if peer.variants(engine, precision, isa):
                say(f"tune      {engine}, {material.shape}, {precision}, {isa}: {tune.settings(material, engine, precision, isa, options.core, options.retune)}")


def tell(name, part):
    print(f"{name}: squall {part['squall']['all']['median']:.1f} texts/s, "
          f"{part['squall']['encode_only']['median']:.1f} without tokenising ({part['isa']})")
    for row in part["peers"]:
        ratio, encode = row["ratio"], row["encode_only_ratio"]
        print(f"  {row['engine']:12} {row['order']:8} {row['texts_per_second']['median']:8.1f}   squall over it {ratio['median']:.2f} "
              f"({ratio['min']:.2f} to {ratio['max']:.2f}), without tokenising {encode['median']:.2f}   "
              f"{row['variant']}, batches of {row['batch']}, agreement {row['agreement']:.3f}", flush=True)


def all_of(options, about):
    """(name, part of the JSON) one by one."""
    for shape in options.shape:
        material = prepared(shape, options, about)
        if options.prepare:
            try_settings(material, options)
            continue
        for figure, parts in PARTS.items():
            for name, (take, *how) in parts.items() if figure in options.only else ():
                part = take(material, options, *how)
                tell(name.format(shape), part)
                yield name.format(shape), part
        for figure, take in ALONE.items():
            if figure in options.only and shape == "minilm":
                part = take(options, material)
                print(f"{figure}: {part['ratio']['median']:.3f} ({part['ratio']['min']:.3f} to {part['ratio']['max']:.3f})  {part['rows']}")
                yield figure, part
