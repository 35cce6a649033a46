# SPDX-License-Identifier: Apache-2.0
"""What the tests of exactly-once delivery share: posts that make alerts, a reader that runs meanwhile, and the checks afterwards."""
import functools
import json
import os
import random
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from bad_records import SMALL_POISON
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from replayed import by_fingerprint, published, replay
from squall import headers_of, letter_coordinates, outcome, unique, wait_for

TIMES = float(os.environ.get("SQUALL_SOAK", "1"))  # how much longer than in continuous integration
PARTITIONS = 6
DAY_MS = 86400 * 1000
BAD_EVERY = 211


def posts(count, partitions, seed=1, entities=12, days=4, crowd=0):
    """Records in the order of event time: ordinary posts about some entities, here and there a wave of complaints about one, a post about each
    of a crowd, and, with a header that says so, bad ones of each kind."""
    draw = random.Random(seed)
    start_ms = int(time.time() * 1000) // 60000 * 60000 - days * DAY_MS - 3600 * 1000
    waves = entities // 3
    starts = [(start_ms + int((0.6 + 0.4 * i / waves) * days * DAY_MS), f"entity-{draw.randrange(entities)}") for i in range(waves)]
    words = ["".join(draw.choices("aeioukmnprst", k=6)) for _ in range(500)]
    texts = ["the phone is very good"] * 6 + ["the phone is a phone"] * 6 + ["the phone is bad"]
    rows = [(start_ms + i * days * DAY_MS // count, f"entity-{draw.randrange(entities)}", draw.choice(texts)) for i in range(count - waves * 60)]
    rows += [(at + i * 20000, entity, "a bad phone and a very bad phone") for at, entity in starts for i in range(60)]
    rows += [(start_ms + int((0.8 + 0.05 * i / crowd) * days * DAY_MS), f"crowd-{i}", draw.choice(texts)) for i in range(crowd)]
    out = []
    for i, (ts, entity, text) in enumerate(sorted(rows)):
        text = f"{text} {' '.join(draw.choices(words, k=6))}"  # no two alike, or they would count as copies
        value = json.dumps({"text": text, "entity": entity, "ts": ts, "author": f"author-{i % 997}", "id": str(i)}).encode()
        bad = {"value": SMALL_POISON[i // BAD_EVERY % len(SMALL_POISON)], "headers": [("bad", b"")]} if i % BAD_EVERY == 7 else {}
        out.append({"value": value, "partition": i % partitions, **bad})
    return out


class Reader:
    """A read_committed reader of the scores that is there all the time, and notes whatever it saw twice."""

    def __init__(self, kafka, scores, topic):
        self.kafka, self.scores, self.topic = kafka, scores, topic
        self.seen, self.is_over = Counter(), False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        consumer = Consumer({"bootstrap.servers": self.kafka.brokers, "group.id": unique("live"), "enable.auto.commit": False,
                             "isolation.level": "read_committed", "auto.offset.reset": "earliest"})
        consumer.assign([TopicPartition(self.topic, i, 0) for i in range(self.kafka.partitions(self.topic))])
        while not self.is_over:
            for message in consumer.consume(500, 0.2):
                if not message.error():
                    score = self.scores.decode(message)
                    self.seen[score.partition, score.offset] += 1
        consumer.close()

    def stop(self):
        self.is_over = True
        self.thread.join(30)
        return [coordinate for coordinate, count in self.seen.items() if count > 1]


def all_read(kafka, app, topic):
    return (kafka.committed(f"{app}-score", topic) == kafka.ends(topic) and
            kafka.committed(f"{app}-alert", f"{app}.scores") == kafka.ends(f"{app}.scores"))


def check_scores(kafka, scores, app, records, coordinates):
    """{scores} + {dead letters} = input as multisets; the dead letters are just the bad records."""
    bad = {coordinate for record, coordinate in zip(records, coordinates) if "headers" in record}
    scored, lettered = outcome(kafka, scores, app)
    missing = set(coordinates) - set(scored) - set(lettered)
    twice = [coordinate for coordinate, count in (scored + lettered).items() if count > 1]
    assert not missing, f"{len(missing)} of {len(coordinates)} records are missing, {sorted(missing)[:5]}"
    assert not twice, f"{len(twice)} of {len(coordinates)} records came out twice, {sorted(twice)[:5]}"
    assert set(lettered) == bad
    assert set(scored) == set(coordinates) - bad


def transitions(kafka, app):
    """Of each alert fingerprint, in order: what a reader of <app>.alerts is told. Not the texts quoted."""
    out = {}
    for message in kafka.read(f"{app}.alerts"):
        alert = json.loads(message.value())
        out.setdefault((alert["rule"], alert["entity"]), []).append(
            (alert["state"], alert["seq"], alert["starts_at"], alert.get("at"), alert["severity"], alert["reason"]))
    return out


def open_transaction(kafka, topic, partition, lasts_s=6):
    """A stranger's transaction that stays open until the broker ends it, or its producer, which is returned."""
    producer = Producer({"bootstrap.servers": kafka.brokers, "transactional.id": unique("stranger"), "transaction.timeout.ms": lasts_s * 1000})
    producer.init_transactions(60)
    producer.begin_transaction()
    producer.produce(topic, b"?", b"?", partition)
    assert producer.flush(20) == 0
    return producer


def set_offsets(kafka, group, topic, offset):
    consumer = Consumer({"bootstrap.servers": kafka.brokers, "group.id": group, "enable.auto.commit": False})
    consumer.commit(offsets=[TopicPartition(topic, i, offset) for i in range(kafka.partitions(topic))], asynchronous=False)
    consumer.close()


def check_ids(kafka, app):
    """Each transition once, each alert under one id."""
    keys = Counter(headers_of(message)["ce_id"] for message in kafka.read(f"{app}.alerts"))
    assert not [key for key, count in keys.items() if count > 1]


def check_alerts(kafka, app, worker):
    """The alerts are, byte for byte, what a replay makes of the scores."""
    lines, _ = replay(worker, "--topic", f"{app}.scores", "--scores-in", timeout_s=120 + kafka.count(f"{app}.scores") / 1000)
    expected, found = by_fingerprint(lines), published(kafka, app)
    wrong = [(found.get(key), expected.get(key)) for key in sorted(found.keys() | expected.keys()) if found.get(key) != expected.get(key)]
    assert not wrong, f"{len(wrong)} of {len(expected)} alerts are not as in a replay; (found, expected): {wrong[:3]}"
    return len(lines)


class Run:
    """Workers, and posts that come over some seconds; then everything is checked."""

    def __init__(self, kafka, scores, model, start, draw, workers, seconds, per_second=1500, entities=12, step_s=0.5, config=None,
                 brokers=None):
        self.kafka, self.scores, self.model, self.draw, self.config, self.brokers = kafka, scores, model, draw, config, brokers
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
        return self.start(self.app, self.topic, name=name, model=self.model, brokers=self.brokers, config=self.config)

    def produce(self):
        began = time.monotonic()
        for steps, i in enumerate(range(0, len(self.records), self.step), 1):
            self.coordinates += self.kafka.produce(self.topic, self.records[i:i + self.step])
            time.sleep(max(0.0, began + steps * self.step_s - time.monotonic()))

    def is_producing(self):
        return not self.producing.done()

    def grow(self, count):
        """Starts workers until there are so many."""
        self.workers += [self.new_worker(f"w{i}") for i in range(len(self.workers), count)]

    def shrink(self, count):
        """All but so many leave in order, at once."""
        for worker in self.workers[count:]:
            worker.signal(signal.SIGTERM)
        for worker in self.workers[count:]:
            assert worker.wait() == 0, worker.log_text()[-3000:]
        self.workers = self.workers[:count]

    def stop_and_restart(self, i):
        assert self.workers[i].stop() == 0, self.workers[i].log_text()[-3000:]
        self.workers[i] = self.new_worker(f"w{i}")

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
        alerts = check_alerts(self.kafka, self.app, self.workers[0])
        assert alerts > 0
        print(f"\n{len(self.records)} records, {faults} faults: none missing, none twice, {alerts} transitions as in a replay")
