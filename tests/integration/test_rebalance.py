# SPDX-License-Identifier: Apache-2.0
"""Workers that come and go, by each way a group can share its partitions. Short forms; SQUALL_SOAK=N makes them N times as long."""
import contextlib
import threading
import time
from collections import Counter

from exactly import TIMES, Run, all_read, posts
from squall import ASSIGNORS, LIBRDKAFKA, unique, wait_for

CONSUMER_PROTOCOL_FROM = (2, 12, 0)


def classic(**more):
    settings = {"session.timeout.ms": "6000", "heartbeat.interval.ms": "1000"}
    return {"kafka": {"consumer": {**settings, **{key.replace("_", "."): value for key, value in more.items()}}}}


def newer(**more):
    """KIP-848: the broker assigns, and says how long a member may be silent."""
    return {"kafka": {"consumer": {"group.protocol": "consumer", **{key.replace("_", "."): value for key, value in more.items()}}}}


@contextlib.contextmanager
def readiness_of(worker):
    """How often /readyz said what in the meantime."""
    said, is_over = Counter(), threading.Event()

    def ask():
        while not is_over.wait(0.05):
            said[worker.get("/readyz")] += 1

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield said
    finally:
        is_over.set()
        thread.join()


def storm(run, draw):
    """2 workers, 6, 1, again and again; one is killed on the way. The one that is there all the time is ready all the time."""
    rounds = 0
    with readiness_of(run.workers[0]) as said:
        while rounds < TIMES or run.is_producing():
            run.grow(6)
            time.sleep(draw.uniform(2, 4))
            run.workers[-1].kill()
            run.workers.pop()
            run.shrink(1)
            run.grow(2)
            time.sleep(draw.uniform(0, 2))
            rounds += 1
    assert {status for status, _ in said} == {200} and said.total() > 10, said
    run.check(rounds)


def storm_of(kafka, model, scores, start, draw, config):
    storm(Run(kafka, scores, model, start, draw, 2, seconds=3, config=config), draw)


def check_refused(kafka, model, start, config, why):
    topic = unique("posts")
    kafka.make_topic(topic, 1)
    worker = start(unique("refused"), topic, model=model, config=config)
    assert worker.wait() == 78
    assert why in worker.log_text()


def test_a_storm_of_eager_members(kafka, model, scores, start, draw):
    storm_of(kafka, model, scores, start, draw, classic(partition_assignment_strategy="range"))


def test_a_storm_of_cooperative_members(kafka, model, scores, start, draw):
    config = classic(partition_assignment_strategy="cooperative-sticky")
    if "cooperative-sticky" in ASSIGNORS:
        storm_of(kafka, model, scores, start, draw, config)
    else:
        check_refused(kafka, model, start, config, "partition.assignment.strategy=cooperative-sticky needs librdkafka 2.6.1 or newer")


def test_a_storm_by_the_newer_protocol(kafka, model, scores, start, draw):
    if LIBRDKAFKA >= CONSUMER_PROTOCOL_FROM:
        storm_of(kafka, model, scores, start, draw, newer())
    else:
        check_refused(kafka, model, start, newer(), "group.protocol=consumer needs librdkafka 2.12 or newer")


def rebalances(worker):
    return sum(worker.metric("kafka_rebalances_total", event=event) for event in ("assign", "revoke", "lost"))


def test_a_static_member_comes_back_to_its_partitions(kafka, model, start):
    """Stopped in order or killed: within its session nobody else notices."""
    app, topic = unique("static"), unique("posts")
    kafka.make_topic(topic, 4)

    def member(name):
        return start(app, topic, name=name, model=model, config=classic(group_instance_id=name, session_timeout_ms="30000"))

    workers = [member("w1"), member("w2")]
    def has_its_share(worker):
        return worker.is_ready() and worker.status()["input_partitions"] == worker.status()["scores_partitions"] == 2

    wait_for("each has its share of both stages", lambda: all(map(has_its_share, workers)))
    before = rebalances(workers[1])
    for leave in (workers[0].stop, workers[0].kill):
        leave()
        kafka.produce(topic, posts(1000, 4))
        workers[0].start().wait_ready()
        wait_for("all is read", lambda: all_read(kafka, app, topic))
        assert workers[0].status()["input_partitions"] == 2
    assert rebalances(workers[1]) == before


def test_two_workers_under_one_static_name(kafka, model, start):
    """The later takes over; the earlier says why it ends."""
    app, topic = unique("static"), unique("posts")
    kafka.make_topic(topic, 2)
    first = start(app, topic, name="w1", model=model, config=classic(group_instance_id="one")).wait_ready()
    second = start(app, topic, name="w2", model=model, config=classic(group_instance_id="one"))
    assert first.wait() == 1
    assert "group.instance.id" in first.log_text()
    second.wait_ready()
