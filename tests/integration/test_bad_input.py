# SPDX-License-Identifier: Apache-2.0
"""One record of each bad kind among good ones: each is in the dead letters with its reason, or handled as documented; the rest is scored."""
import json
import random
import string
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest
from bad_records import KINDS, NOW_MS, SECRET, event
from confluent_kafka import TopicPartition
from squall import ASSIGNORS, BINARY, ROOT, headers_of, letter_coordinates, outcome, unique, wait_for


def test_each_kind_of_bad_record(kafka, model, scores, start):
    app, topic = unique("bad"), unique("posts")
    kafka.make_topic(topic, 2, **{"max.message.bytes": "2000000"})
    good = [{"value": event(id=str(i)), "key": b"k"} for i in range(200)]
    records = []
    for i, (name, (value, reason)) in enumerate(KINDS.items()):
        records += good[i * 5:i * 5 + 5] + [{"value": value, "key": b"k", "headers": [("kind", name.encode())]}]
    coordinates = kafka.produce(topic, [{**record, "partition": i % 2} for i, record in enumerate(records)])
    expected = {}
    for record, coordinate in zip(records, coordinates):
        kind = dict(record.get("headers", [])).get("kind")
        expected[coordinate] = KINDS[kind.decode()][1] if kind else None

    worker = start(app, topic, model=model, config={"input": {"topics": [topic], "max_bytes": 262144}}).wait_ready()
    wait_for("all records out", lambda: worker.status()["scored"] + worker.status()["dead_lettered"] == len(records))
    scored, lettered = outcome(kafka, scores, app)
    assert scored == Counter(key for key, reason in expected.items() if reason is None)
    assert lettered == Counter(key for key, reason in expected.items() if reason is not None)

    by_coordinate = dict(zip(coordinates, records))
    for message in kafka.read(f"{app}.dlq"):
        headers, source = headers_of(message), by_coordinate[letter_coordinates(message)]
        assert headers["__squall.errors.reason"] == expected[letter_coordinates(message)], headers
        assert headers["__squall.errors.stage"] == "score" and headers["__squall.errors.topic"] == topic
        assert headers["__squall.errors.key"] == "k" and headers["kind"] in KINDS
        assert message.value() == source["value"]
        assert message.key().decode() == f"{topic}/{headers['__squall.errors.partition']}/{headers['__squall.errors.offset']}"
        assert SECRET not in headers["__squall.errors.message"]

    for reason, count in Counter(reason for reason in expected.values() if reason).items():
        assert worker.metric("dead_letters_total", reason=reason) == count
    assert worker.metric("records_total", outcome="scored") == scored.total()
    assert worker.metric("records_total", outcome="dead_lettered") == lettered.total()
    assert worker.metric("clamped_timestamps_total") == 2
    limit_ms = int(time.time() * 1000) + 5 * 60 * 1000
    for score in map(scores.decode, kafka.read(f"{app}.scores")):
        assert 0 < score.event_time_ms <= limit_ms
    assert worker.stop() == 0
    assert SECRET not in worker.log_text()


def test_what_the_broker_refuses_ends_in_the_dead_letters(kafka, model, scores, start):
    """Topics with small bounds: a request of several records is over them, which must not cost the records that fit alone."""
    app, topic = unique("small"), unique("posts")
    draw = random.Random(2)
    kafka.make_topic(topic, 1)
    kafka.make_topic(f"{app}.scores", 4, **{"max.message.bytes": "420"})
    kafka.make_topic(f"{app}.dlq", 1, **{"max.message.bytes": "3000"})
    long_id = "".join(draw.choices(string.ascii_letters, k=250))
    noise = "".join(draw.choices(string.ascii_letters, k=20000)).encode()
    values = [event(text=f"the phone is good {i}", id=str(i)) for i in range(60)]
    values[20] = event(text="the phone is good", id=long_id, entity="".join(draw.choices(string.ascii_letters, k=250)))
    values[40] = b'{"text": "' + noise
    coordinates = kafka.produce(topic, [{"value": value, "partition": 0} for value in values])
    worker = start(app, topic, model=model).wait_ready()
    wait_for("all records out", lambda: worker.status()["scored"] + worker.status()["dead_lettered"] == len(values))
    scored, lettered = outcome(kafka, scores, app)
    assert lettered == Counter([coordinates[20], coordinates[40]])
    assert scored == Counter(coordinates) - lettered
    letters = {letter_coordinates(message): message for message in kafka.read(f"{app}.dlq")}
    assert headers_of(letters[coordinates[20]])["__squall.errors.reason"] == "produce"
    assert letters[coordinates[20]].value() == values[20]
    assert headers_of(letters[coordinates[40]])["__squall.errors.reason"] == "decode"
    assert letters[coordinates[40]].value() is None, "too large for the dlq: its coordinates are left"
    assert kafka.committed(f"{app}-score", topic) == [len(values)]
    assert worker.stop() == 0


def test_what_the_client_cannot_unpack_is_stepped_over(kafka, model, scores, start):
    """zstd bombs, alone and three in a batch: a few KB in the log that the client refuses to expand and would fetch again for ever."""
    app, topic = unique("bomb"), unique("posts")
    kafka.make_topic(topic, 1)

    def good(count):
        return kafka.produce(topic, [{"value": event(id=str(i)), "partition": 0} for i in range(count)])

    def bombs(count, value_bytes):
        records = [{"value": bytes(value_bytes), "partition": 0} for _ in range(count)]
        return kafka.produce(topic, records, **{"compression.type": "zstd", "message.max.bytes": 1000000000, "batch.size": 200000000,
                                                "queue.buffering.max.kbytes": 1000000, "linger.ms": 500})

    readable, unreadable = good(20), bombs(1, 64000000)
    readable, unreadable = readable + good(20), unreadable + bombs(3, 20000000)
    readable += good(20)
    bounds = {"fetch.max.bytes": "2000000", "receive.message.max.bytes": "3000000"}
    worker = start(app, topic, model=model, config={"kafka": {"brokers": kafka.brokers, "consumer": bounds}}).wait_ready()
    wait_for("all records out", lambda: worker.status()["scored"] + worker.status()["dead_lettered"] == len(readable + unreadable))
    assert worker.is_ready()
    assert outcome(kafka, scores, app) == (Counter(readable), Counter(unreadable))
    for message in kafka.read(f"{app}.dlq"):
        assert message.value() is None and headers_of(message)["__squall.errors.reason"] == "unreadable"
    assert worker.metric("dead_letters_total", reason="unreadable") == len(unreadable)
    back = subprocess.run([BINARY, "dlq", "retry", "-c", str(worker.config), "--all"], capture_output=True, text=True, timeout=60)
    assert back.returncode == 1 and back.stdout == "0 sent back\n", "there is nothing to send back"
    assert back.stderr.count("is unreadable, and its value isn't here") == len(unreadable) and f"{topic}/0/20 is" in back.stderr
    assert worker.rss_mib() < 300
    assert worker.stop() == 0
    assert kafka.committed(f"{app}-score", topic) == [len(readable + unreadable)]


class Damaged:
    """Twenty good records, a batch in which a byte has flipped on the broker's disk, and twenty good ones again. The client finds that the
    checksum doesn't fit, and would fetch it again for ever."""

    def __init__(self, kafka, batch):
        self.kafka, self.topic = kafka, unique("flip")
        kafka.make_topic(self.topic, 1)
        self.before, self.damaged, self.behind = self.produce("the phone is good", 20), self.produce("tobeflipped", batch), self.produce("the phone is good", 20)
        folder = Path(kafka.environment.get("SQUALL_BROKER_DIR", ROOT / ".kafka"))
        segment, = (path for path in folder.glob(f"**/{self.topic}-0/*.log") if path.stat().st_size)
        with open(segment, "r+b") as file:
            file.seek(file.read().index(b"tobeflipped"))
            file.write(b"T")

    def produce(self, text, count):
        return self.kafka.produce(self.topic, [{"value": event(text=f"{text} {i}"), "partition": 0} for i in range(count)], **{"linger.ms": 500})


@pytest.mark.parametrize("strategy", ASSIGNORS)
def test_a_damaged_batch_is_stepped_over(breakable, model, scores, start, strategy):
    app, log = unique("flip"), Damaged(breakable, 2)
    worker = start(app, log.topic, on=breakable, model=model, config={"kafka": {"consumer": {"partition.assignment.strategy": strategy}}}).wait_ready()
    wait_for("all records out", lambda: worker.status()["scored"] + worker.status()["dead_lettered"] == 42)
    assert outcome(breakable, scores, app) == (Counter(log.before + log.behind), Counter(log.damaged))
    for message in breakable.read(f"{app}.dlq"):
        assert message.value() is None and headers_of(message)["__squall.errors.reason"] == "unreadable"
    assert worker.stop() == 0


def test_what_was_deleted_while_a_damaged_batch_held_things_up_is_told(breakable, model, start):
    """As wherever records are gone before they were read: it is for somebody to say where to go on."""
    app, log = unique("gone"), Damaged(breakable, 500)
    worker = start(app, log.topic, on=breakable, model=model).wait_ready()
    wait_for("it is at the batch", lambda: "stepping over" in worker.log_text(), every_s=0.05)
    breakable.admin.delete_records([TopicPartition(log.topic, 0, log.behind[3][1])])[TopicPartition(log.topic, 0)].result()
    assert worker.wait(60) == 1
    assert "deleted before they were read" in worker.log_text()
