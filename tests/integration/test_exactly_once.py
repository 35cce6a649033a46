# SPDX-License-Identifier: Apache-2.0
"""Nothing lost and nothing twice, to a read_committed reader, whatever dies: workers killed -9, frozen and woken, the broker killed.

Short forms; SQUALL_SOAK=N makes each about N times as long (ops/soak). -s prints the figures. The seed is printed with each failure;
SQUALL_SEED sets it."""
import functools
import os
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from exactly import Reader, all_read, check_alerts, check_ids, check_scores, posts
from squall import unique, wait_for

TIMES = float(os.environ.get("SQUALL_SOAK", "1"))
PARTITIONS = 6


@pytest.fixture
def draw():
    seed = int(os.environ.get("SQUALL_SEED", time.time()))
    print(f"SQUALL_SEED={seed}")
    return random.Random(seed)


class Run:
    """Workers, and posts that come over some seconds; then everything is checked."""

    def __init__(self, kafka, scores, model, start, draw, workers, seconds, per_second=1500, entities=12, step_s=0.5, config=None):
        self.kafka, self.scores, self.model, self.draw, self.config = kafka, scores, model, draw, config
        self.start = functools.partial(start, on=kafka)
        self.app, self.topic, self.seconds = unique("exact"), unique("posts"), seconds * TIMES
        kafka.make_topic(self.topic, PARTITIONS)
        self.workers = [self.new_worker(f"w{i}") for i in range(workers)]
        for worker in self.workers:
            worker.wait_ready()
        self.reader = Reader(kafka, scores, f"{self.app}.scores")
        self.records = posts(int(self.seconds * per_second), PARTITIONS, draw.randrange(1 << 30), entities)
        self.coordinates, self.step, self.step_s = [], int(per_second * step_s), step_s
        self.producing = ThreadPoolExecutor(1).submit(self.produce)

    def new_worker(self, name):
        return self.start(self.app, self.topic, name=name, model=self.model, config=self.config)

    def produce(self):
        began = time.monotonic()
        for steps, i in enumerate(range(0, len(self.records), self.step), 1):
            self.coordinates += self.kafka.produce(self.topic, self.records[i:i + self.step])
            time.sleep(max(0.0, began + steps * self.step_s - time.monotonic()))

    def is_producing(self):
        return not self.producing.done()

    def kill_and_restart(self, i, down_s=0.0):
        self.workers[i].kill()
        time.sleep(down_s)
        self.workers[i] = self.new_worker(f"w{i}")

    def check(self, faults):
        self.producing.result()
        wait_for("all is read and committed", lambda: all_read(self.kafka, self.app, self.topic), 120 * max(1, TIMES), 1)
        for worker in self.workers:
            assert worker.is_running(), worker.log_text()[-3000:]
            assert worker.stop() == 0
        twice = self.reader.stop()
        assert not twice, f"a reader that was running saw {len(twice)} scores twice"
        check_scores(self.kafka, self.scores, self.app, self.records, self.coordinates)
        check_ids(self.kafka, self.app)
        alerts = check_alerts(self.kafka, self.app, self.start, self.model)
        assert alerts > 0
        print(f"\n{len(self.records)} records, {faults} faults: none missing, none twice, {alerts} transitions as undisturbed")


def test_workers_are_killed(kafka, model, scores, start, draw):
    run = Run(kafka, scores, model, start, draw, workers=3, seconds=20)
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


def test_the_broker_is_killed(breakable, model, scores, start, draw):
    """One node of however many there are: with one, everything stands still until it is back."""
    run = Run(breakable, scores, model, start, draw, workers=2, seconds=4)
    faults = 0
    while faults < 2 * TIMES:
        node = str(draw.randrange(breakable.nodes()) + 1)
        time.sleep(draw.uniform(1, 3))
        breakable.run("kill", node)
        time.sleep(draw.uniform(0, 3))
        breakable.run("node", node)
        faults += 1
    run.check(faults)
