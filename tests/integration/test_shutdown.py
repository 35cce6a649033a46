# SPDX-License-Identifier: Apache-2.0
"""How a worker goes: SIGTERM drains, commits and leaves, so that the next one goes on without a gap or a repeat; a second Ctrl-C at once."""
import json
import signal
import time

from proxy import Proxy, proxied
from squall import free_port, outcome, unique, wait_for


def posts(count):
    return [{"value": json.dumps({"text": f"the phone is bad and very {i}", "entity": f"e{i % 9}"}).encode(), "partition": i % 3}
            for i in range(count)]


def test_sigterm_drains_and_the_next_worker_goes_on(kafka, model, scores, start):
    app, topic = unique("term"), unique("posts")
    kafka.make_topic(topic, 3)
    coordinates = kafka.produce(topic, posts(6000))
    worker = start(app, topic, model=model).wait_ready()
    wait_for("some are scored", lambda: worker.status()["scored"] > 300, every_s=0.02)
    assert worker.stop() == 0
    committed = kafka.committed(f"{app}-score", topic)
    scored, lettered = outcome(kafka, scores, app)
    assert scored.total() == sum(max(offset, 0) for offset in committed), "what is out is what is committed"
    assert all(offset < max(committed[partition], 0) for partition, offset in scored)

    worker = start(app, topic, model=model, name="w2").wait_ready()
    wait_for("all are committed", lambda: kafka.committed(f"{app}-score", topic) == kafka.ends(topic))
    assert worker.stop() == 0
    scored, lettered = outcome(kafka, scores, app)
    assert sorted(scored) == sorted(coordinates) and set(scored.values()) == {1} and not lettered


def test_partitions_are_handed_over_without_a_gap_or_a_repeat(kafka, model, scores, start):
    """A worker joins in mid-stream, another leaves in mid-stream."""
    app, topic = unique("hand"), unique("posts")
    kafka.make_topic(topic, 3)
    first = start(app, topic, model=model, name="w1").wait_ready()
    coordinates = kafka.produce(topic, posts(3000))
    second = start(app, topic, model=model, name="w2")
    coordinates += kafka.produce(topic, posts(6000))
    second.wait_ready()
    wait_for("both have partitions", lambda: second.status()["input_partitions"] and first.status()["input_partitions"])
    coordinates += kafka.produce(topic, posts(6000))
    assert first.stop() == 0
    coordinates += kafka.produce(topic, posts(3000))
    wait_for("all is committed", lambda: kafka.committed(f"{app}-score", topic) == kafka.ends(topic), every_s=0.5)
    assert second.stop() == 0
    scored, lettered = outcome(kafka, scores, app)
    assert sorted(scored) == sorted(coordinates) and not lettered
    assert set(scored.values()) == {1}


def test_a_second_interrupt_leaves_at_once(kafka, model, start):
    app, topic = unique("int"), unique("posts")
    kafka.make_topic(topic, 1)
    # Outputs linger in the producer, so that there is a drain to interrupt.
    worker = start(app, topic, model=model, config={"kafka": {"brokers": kafka.brokers, "producer": {"linger.ms": "8000"}}}).wait_ready()
    kafka.produce(topic, [{**post, "partition": 0} for post in posts(50)])
    wait_for("records in flight", lambda: worker.status()["in_flight"] > 0, every_s=0.02)
    worker.signal(signal.SIGINT)
    wait_for("draining", lambda: worker.get("/readyz")[0] == 503, every_s=0.02)
    worker.signal(signal.SIGINT)
    assert worker.wait() == 130


def test_a_broker_that_is_away_at_start_is_waited_for(kafka, model, scores, start, draw):
    app, topic = unique("away"), unique("posts")
    kafka.make_topic(topic, 1)
    coordinates = kafka.produce(topic, [{**post, "partition": 0} for post in posts(20)])
    worker = start(app, topic, model=model, brokers=proxied(kafka))
    wait_for("the page answers", lambda: worker.get("/livez")[0] == 200)
    wait_for("each stage says so", lambda: worker.log_text().count("waiting for Kafka") >= 2)
    time.sleep(4)
    assert worker.is_running()
    status, body = worker.get("/readyz")
    assert status == 503 and "starting" in body
    assert worker.get("/livez")[0] == 200
    assert worker.log_text().count("waiting for Kafka") <= 4, "told once in a while"
    with Proxy(kafka, draw):
        worker.wait_ready(60)
        wait_for("all are scored", lambda: worker.status()["scored"] == 20)
        scored, _ = outcome(kafka, scores, app)
        assert sorted(scored) == sorted(coordinates)
        assert worker.stop() == 0


def test_a_topic_that_is_missing_is_waited_for(kafka, model, start):
    app, topic = unique("missing"), unique("posts")
    worker = start(app, topic, model=model, config={"kafka": {"consumer": {"topic.metadata.refresh.interval.ms": "1000"}}})
    wait_for("it says which", lambda: f"{topic}: Broker: Unknown topic" in worker.log_text())
    wait_for("it is up, and not ready", lambda: worker.get("/readyz")[0] == 503)
    assert worker.is_running()
    kafka.make_topic(topic, 3)
    kafka.produce(topic, posts(20))
    worker.wait_ready()
    wait_for("all are scored", lambda: worker.status()["scored"] == 20)
    assert worker.stop() == 0


def test_it_stops_at_once_while_the_broker_is_away(kafka, model, start):
    worker = start(unique("never"), unique("posts"), model=model, brokers=f"127.0.0.1:{free_port()}")
    wait_for("the page answers", lambda: worker.get("/livez")[0] == 200)
    assert worker.stop(20) == 0


def test_a_wrong_partition_count_is_a_configuration_error(kafka, model, start):
    app, topic = unique("count"), unique("posts")
    kafka.make_topic(topic, 1)
    kafka.make_topic(f"{app}.scores", 3)
    worker = start(app, topic, model=model)
    assert worker.wait(60) == 78
    assert "set output.partitions to what the topic has" in worker.log_text()
