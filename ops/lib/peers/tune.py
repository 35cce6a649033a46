# SPDX-License-Identifier: Apache-2.0
"""Each engine's best settings: which variant and which batch size, in arrival order, sorted, and for one text. Tried once, then remembered."""
import json

from . import peer
from .material import WORK

FILE = WORK / "tuned.json"
BATCHES = {"arrival": [1, 2, 4, 8, 16, 32], "sorted": [2, 4, 8, 16, 32], "single": [1]}
# Variants are told apart by these; then the best one is tried with every batch size.
PROBES = {"arrival": [1, 16], "sorted": [8], "single": [1]}
TEXTS = {"minilm": 128, "base": 32}
SECONDS, TURNS = 0.3, 2


def measure(material, opened, order, batch):
    return opened.ask(order=order, batch=batch, seconds=SECONDS, **material.span(order, TEXTS[material.shape]))["texts_per_cpu_second"]


def probe(material, engine, variant, precision, isa, core):
    """{order: texts a second with the better of the probes}"""
    with peer.Peer(engine, variant, material, precision, isa, core) as opened:
        return {order: max(measure(material, opened, order, batch) for batch in batches) for order, batches in PROBES.items()}


def best_batch(material, engine, variant, precision, isa, core, order):
    if len(BATCHES[order]) == 1:
        return BATCHES[order][0]
    with peer.Peer(engine, variant, material, precision, isa, core) as opened:
        turns = [[measure(material, opened, order, batch) for batch in BATCHES[order]] for _ in range(TURNS)]
    best = [max(measured) for measured in zip(*turns)]
    return BATCHES[order][best.index(max(best))]


def settle(material, engine, precision, isa, core):
    """{order: {"variant", "batch"}}"""
    variants = peer.variants(engine, precision, isa)
    probed = {variant: probe(material, engine, variant, precision, isa, core) for variant in variants} if len(variants) > 1 else {}
    settled = {}
    for order in BATCHES:
        variant = max(variants, key=lambda name: probed[name][order]) if probed else variants[0]
        settled[order] = {"variant": variant, "batch": best_batch(material, engine, variant, precision, isa, core, order)}
    return settled


def settings(material, engine, precision, isa, core, again=False):
    """Remembered by everything that they depend on but the texts."""
    known = json.loads(FILE.read_text()) if FILE.exists() else {}
    key = "/".join((material.shape, precision, isa, material.versions[engine]))
    if again or key not in known:
        known[key] = settle(material, engine, precision, isa, core)
        FILE.write_text(json.dumps(known, indent=1))
    return known[key]
