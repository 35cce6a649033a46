# SPDX-License-Identifier: Apache-2.0
"""Squall and the peers in turns on one core: drift of the machine meets them all, and ratios are taken within a round."""
import contextlib
import statistics

import numpy

from . import peer, squall, tune

LOGITS_TEXTS = 64
FP32_DIFFERENCE_MAX = 1e-3


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def check(material, opened, precision):
    """An engine that computes something else is no peer: fp32 must be the same, int8 says how often its label is."""
    logits, wanted = numpy.array(opened.ask(logits=LOGITS_TEXTS)["logits"]), material.logits[:LOGITS_TEXTS]
    difference = float(abs(logits - wanted).max())
    if precision == "fp32" and difference > FP32_DIFFERENCE_MAX:
        raise RuntimeError(f"{opened.name}: logits are off by {difference:g}")
    return float((logits.argmax(1) == wanted.argmax(1)).mean())


class Rival:
    """An engine with its best settings for each order; orders with the same variant share a process."""

    def __init__(self, stack, material, engine, precision, isa, core, settings):
        self.engine, self.settings, opened = engine, settings, {}
        for setting in settings.values():
            if setting["variant"] not in opened:
                opened[setting["variant"]] = stack.enter_context(peer.Peer(engine, setting["variant"], material, precision, isa, core))
        self.processes = {order: opened[setting["variant"]] for order, setting in settings.items()}
        self.agreement = {order: check(material, process, precision) for order, process in self.processes.items()}

    def measure(self, order, **request):
        return self.processes[order].ask(order=order, **{"batch": self.settings[order]["batch"], **request})


def open_rivals(stack, material, options, precision, isa, orders):
    rivals = []
    for engine in options.engines:
        if not peer.variants(engine, precision, isa):
            continue
        settings = tune.settings(material, engine, precision, isa, options.core, options.retune)
        rivals.append(Rival(stack, material, engine, precision, isa, options.core, {order: settings[order] for order in orders}))
    return rivals


def entry(rival, order, own, measured, clock):
    """own, measured: of the rounds, in the same order."""
    theirs = [value[clock] for value in measured]
    ratio = lambda key: spread([mine[key] / other for mine, other in zip(own, theirs)])
    return {"engine": rival.engine, "order": order, **rival.settings[order], "agreement": rival.agreement[order], "texts_per_second": spread(theirs),
            "ratio": ratio("all"), "encode_only_ratio": ratio("encode_only")}


def own_figures(told, clock):
    """Texts a second by that clock; the forward passes' share of it is known by the wall clock."""
    return {"all": told[clock], "encode_only": told[clock] * told["encode_only_texts_per_second"] / told["texts_per_second"]}


def turns(material, options, precision, isa, orders, own_turn):
    """(Squall's figures, {(rival, order): [(Squall's figure, the rival's) a round]})"""
    with contextlib.ExitStack() as stack:
        rivals = open_rivals(stack, material, options, precision, isa, orders)
        own, pairs = [], {(rival, order): [] for rival in rivals for order in orders}
        for _ in range(options.rounds):
            for rival in rivals:
                # The slow shape has Squall's figure once a round, the other before each rival.
                if rival is rivals[0] or material.shape == "minilm":
                    own.append(own_turn())
                for order in orders:
                    measured = rival.measure(order, seconds=options.seconds, **material.span(order))
                    pairs[rival, order].append((own[-1], measured))
    return own, pairs


def part_of(material, options, precision, isa, orders, clock, texts_file, *bench_options):
    """The part of the JSON for a shape, a precision and an instruction set."""
    told = []

    def own_turn():
        told.append(squall.bench(material.folder, texts_file, precision, isa, options.core, options.seconds, *bench_options))
        return own_figures(told[-1], clock)

    own, pairs = turns(material, options, precision, isa, orders, own_turn)
    return {"squall": {key: spread([value[key] for value in own]) for key in own[0]}, "isa": told[0]["isa"],
            "tokens": told[0]["tokens"] / told[0]["texts"], "texts": told[0]["texts"], "rounds": options.rounds,
            "peers": [entry(rival, order, *zip(*values), clock) for (rival, order), values in pairs.items()]}


def throughput(material, options, precision, isa):
    """By CPU time: alone on a core that is the same as the wall clock's, and a neighbour on it disturbs less."""
    return part_of(material, options, precision, isa, options.orders, "texts_per_cpu_second", material.texts_file)


def latency(material, options, precision, isa):
    return part_of(material, options, precision, isa, ["single"], "texts_per_second", material.single_file, "--in-flight", 1)
