# SPDX-License-Identifier: Apache-2.0
"""A backlog of five times what the pool can do in the time: memory stays bounded, and the group never throws the worker out.

The short form lasts 15 s; SQUALL_TEST_FULL=1 makes it two minutes. -s prints the figures."""
import json
import time

from squall import FULL, texts, unique, wait_for

SECONDS = 120 if FULL else 15
BACKLOG_MIN = 6000
OVER_BUDGET_MIB = 96  # libraries, heap, and what librdkafka's bounds don't cover


def test_a_backlog_is_taken_in_bounded_memory_and_without_a_rebalance(kafka, start):
    app, topic = unique("load"), unique("posts")
    kafka.make_topic(topic, 6)
    rows = [text for rating, text in texts()]

    def produce(count):
        kafka.produce(topic, [{"value": json.dumps({"text": " ".join(rows[(i + j) % len(rows)] for j in range(8)), "entity": f"e{i % 20}"}).encode(),
                               "partition": i % 6} for i in range(count)])

    # The shipped model, and a poll interval shorter than the test: a worker that stopped polling while it is full would be thrown out.
    worker = start(app, topic, config={"kafka": {"brokers": kafka.brokers, "consumer": {
        "session.timeout.ms": "6000", "heartbeat.interval.ms": "1000", "max.poll.interval.ms": "10000"}}}).wait_ready()
    produce(BACKLOG_MIN)
    wait_for("it scores", lambda: worker.status()["scored"] > 0)
    began, first = time.monotonic(), worker.status()["scored"]
    time.sleep(5)
    rate = (worker.status()["scored"] - first) / (time.monotonic() - began)
    produce(max(0, int(5 * rate * SECONDS) - BACKLOG_MIN))

    peak, in_flight, lag = 0.0, 0, 0
    while time.monotonic() - began < SECONDS:
        status = worker.status()
        peak, in_flight = max(peak, worker.rss_mib()), max(in_flight, status["in_flight"])
        lag = status["lag"]
        assert status["ready"] and status["in_flight"] <= status["in_flight_max"]
        time.sleep(0.5)
    budget = next(line for line in worker.log_lines() if line["msg"] == "memory budget")["sum_mib"]
    status = worker.status()
    print(f"\n{SECONDS} s at {rate:.0f} records/s, {lag} still to do: RSS at most {peak:.0f} MiB (budget {budget}), "
          f"at most {in_flight} of {status['in_flight_max']} records in flight")
    assert lag > 0, "the backlog was too short to say anything"
    assert peak <= budget + OVER_BUDGET_MIB
    assert worker.metric("kafka_rebalances_total", event="revoke") == 0
    assert worker.metric("kafka_rebalances_total", event="lost") == 0
    assert worker.stop() == 0
