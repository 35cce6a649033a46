# SPDX-License-Identifier: Apache-2.0
"""A network between workers and brokers that delays, cuts, falls silent and loses one direction. Short form; SQUALL_SOAK=N makes it N times
as long, and the faults longer than a session."""
import time

from exactly import TIMES, Run
from proxy import FAULTS, Proxy, proxied
from squall import wait_for


def test_a_network_that_misbehaves(kafka, model, scores, start, draw):
    names, faults, longest_s = list(FAULTS), 0, 2.5 if TIMES == 1 else 10
    with Proxy(kafka, draw) as proxy:
        run = Run(kafka, scores, model, start, draw, workers=2, seconds=5, brokers=proxied(kafka))
        while faults < len(names) or run.is_producing():
            name = names[faults % len(names)]
            time.sleep(draw.uniform(0, 0.5))
            proxy.misbehave(name)
            time.sleep(draw.uniform(1, longest_s))
            wait_for(f"somebody feels that the network {name}", lambda: proxy.hits)
            proxy.heal()
            faults += 1
        run.check(faults)
