# SPDX-License-Identifier: Apache-2.0
"""Nothing lost and nothing twice, to a read_committed reader, whatever dies: workers killed -9, frozen and woken, told to stop at any time,
the broker killed, the broker's disk full. Among the records are bad ones of each kind.

Short forms; SQUALL_SOAK=N makes each about N times as long (ops/soak). -s prints the figures. The seed is printed with each failure;
SQUALL_SEED sets it."""
import resource
import signal
import time

from exactly import PARTITIONS, TIMES, Run
from squall import wait_for


def test_workers_are_killed(kafka, model, scores, start, draw):
    run = Run(kafka, scores, model, start, draw, workers=3, seconds=12)
    kills = 0
    while run.is_producing():
        time.sleep(draw.uniform(2, 4))
        run.kill_and_restart(draw.randrange(3))
        kills += 1
    run.check(kills)


def test_a_frozen_worker_wakes(kafka, model, scores, start, draw):
    """It slept through its session: others own its partitions, and what it had in hand must not go out."""
    run = Run(kafka, scores, model, start, draw, workers=2, seconds=14)
    rounds = 0
    while run.is_producing():
        worker = run.workers[rounds % 2]
        time.sleep(draw.uniform(0.5, 1.5))
        worker.signal(signal.SIGSTOP)
        time.sleep(8)
        worker.signal(signal.SIGCONT)
        rounds += 1
    run.check(rounds)


def test_workers_are_told_to_stop_at_any_time(kafka, model, scores, start, draw):
    """While they start, join, restore, work or rebalance: each drains and ends with 0."""
    run = Run(kafka, scores, model, start, draw, workers=2, seconds=6)
    stops = 0
    while stops < 8 * TIMES or run.is_producing():
        time.sleep(draw.uniform(0.05, 1.5))
        run.stop_and_restart(draw.randrange(2))
        stops += 1
    run.check(stops)


def roles(run, draw):
    """What a node may be to the workers, and who is it now. With one node it is always that one."""
    kafka = run.kafka
    return {
        "an input partition's leader": kafka.leader(run.topic, draw.randrange(PARTITIONS)),
        "the group's coordinator": kafka.coordinator("__consumer_offsets", f"{run.app}-score"),
        "a transaction's coordinator": kafka.coordinator("__transaction_state", f"{run.app}-score-w0"),
    }


def test_the_broker_is_killed(breakable, model, scores, start, draw):
    """Each role's node in turn: with one node, everything stands still until it is back."""
    run = Run(breakable, scores, model, start, draw, workers=2, seconds=4)
    faults = 0
    while faults < 2 * TIMES:
        time.sleep(draw.uniform(1, 3))
        role, node = list(roles(run, draw).items())[faults % 3]
        print(f"kill node {node}, {role}")
        breakable.run("kill", str(node))
        time.sleep(draw.uniform(0, 3))
        breakable.run("node", str(node))
        faults += 1
    run.check(faults)


def test_the_brokers_disk_is_full(breakable, model, scores, start, draw):
    """From one moment on it can't make any file longer, which ends it; then there is room again and it is started."""
    run = Run(breakable, scores, model, start, draw, workers=2, seconds=3)
    node = draw.randrange(breakable.nodes()) + 1
    time.sleep(1)
    resource.prlimit(breakable.pid(node), resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    wait_for("the broker has ended", lambda: not breakable.is_up(node))
    breakable.run("node", str(node))
    run.check(1)
