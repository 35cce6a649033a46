# SPDX-License-Identifier: Apache-2.0
"""A backlog of five times what the pool can do in the time: memory stays bounded, and the group never throws the worker out.

The short form lasts 15 s; SQUALL_TEST_FULL=1 makes it two minutes. -s prints the figures."""
import json
import time

from squall import FULL, texts, unique, wait_for

SECONDS = 120 if FULL else 15
TIMES = 5
OVER_BUDGET_MIB = 96  # libraries, heap, and what librdkafka's bounds don't cover


class Backlog:
    """Long texts in 6 partitions, so that each costs the model its full width."""

    def __init__(self, kafka, topic):
        self.kafka, self.topic, self.count = kafka, topic, 0
        self.rows = [text for rating, text in texts()]

    def text(self, i):
        return " ".join(self.rows[(i + j) % len(self.rows)] for j in range(8))

    def grow_to(self, count):
        wanted = range(self.count, max(self.count, int(count)))
        self.kafka.produce(self.topic, [{"value": json.dumps({"text": self.text(i), "entity": f"e{i % 20}"}).encode(), "partition": i % 6}
                                        for i in wanted])
        self.count += len(wanted)


def test_a_backlog_is_taken_in_bounded_memory_and_without_a_rebalance(kafka, start):
    app, topic = unique("load"), unique("posts")
    kafka.make_topic(topic, 6)
    backlog = Backlog(kafka, topic)
    # The shipped model, and a poll interval shorter than the test: a worker that stopped polling while it is full would be thrown out.
    worker = start(app, topic, config={"kafka": {"brokers": kafka.brokers, "consumer": {
        "session.timeout.ms": "10000", "heartbeat.interval.ms": "1000", "max.poll.interval.ms": "10000"}}}).wait_ready()
    backlog.grow_to(6000)
    wait_for("it scores", lambda: worker.status()["scored"] > 0)
    began, peak, in_flight = time.monotonic(), 0.0, 0
    while (elapsed := time.monotonic() - began) < SECONDS:
        status = worker.status()
        done = status["scored"]
        peak, in_flight = max(peak, worker.rss_mib()), max(in_flight, status["in_flight"])
        assert status["ready"] and status["in_flight"] <= status["in_flight_max"]
        if elapsed > 3:
            backlog.grow_to(TIMES * done / elapsed * SECONDS)
        time.sleep(0.5)
    budget = next(line for line in worker.log_lines() if line["msg"] == "memory budget")["sum_mib"]
    status = worker.status()
    print(f"\n{SECONDS} s, {status['scored'] / SECONDS:.0f} records/s of a backlog of {backlog.count} ({backlog.count / status['scored']:.1f} "
          f"times what was done): RSS at most {peak:.0f} MiB (budget {budget}), at most {in_flight} of {status['in_flight_max']} in flight")
    assert backlog.count > (TIMES - 1) * done, "the backlog was too short to say anything"
    assert peak <= budget + OVER_BUDGET_MIB
    assert status["throughput"] > 0 and worker.metric("throughput_records_per_second", stage="score") > 0
    assert status["lag"] > 0 and worker.metric("catch_up_seconds", stage="score") > 0
    assert status["skipped"] == 0 and worker.metric("scored_share_ratio", stage="score") == 1
    assert worker.metric("kafka_rebalances_total", event="revoke") == 0
    assert worker.metric("kafka_rebalances_total", event="lost") == 0
    assert worker.stop() == 0
