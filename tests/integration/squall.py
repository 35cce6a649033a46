# SPDX-License-Identifier: Apache-2.0
"""Workers and topics for the integration tests."""
import functools
import http.client
import importlib
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter
from pathlib import Path

import yaml
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("SQUALL_BINARY", str(ROOT / "build/release/squall"))
VERSION = subprocess.run([BINARY, "version"], capture_output=True, text=True, check=True).stdout
LIBRDKAFKA = tuple(map(int, re.search(r"librdkafka (\d+)\.(\d+)\.(\d+)", VERSION).groups()))
# Below 2.6.1 the cooperative one may loop for ever or abort its process, and is refused.
ASSIGNORS = ["range", "cooperative-sticky"] if LIBRDKAFKA >= (2, 6, 1) else ["range"]
# The long forms: real model, 20,000 records, two minutes. The short ones are what continuous integration runs.
FULL = os.environ.get("SQUALL_TEST_FULL", "") not in ("", "0")

# BINARY has a sanitizer in it, which must be able to trace its own process.
SANITIZED = os.environ.get("SQUALL_TEST_SANITIZED", "") not in ("", "0")


def wait_for(what, condition, timeout_s=90, every_s=0.2):
    """Waits until condition() is true and returns what it gave."""
    end = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"not within {timeout_s} s: {what}"
        time.sleep(every_s)


given_ports = set()


def free_port():
    """None of those that the kernel gives to clients for their end: who is down for a while, or not yet up, would lose its own to one of them."""
    clients_from = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(24000, max(clients_from, 32000))
        with socket.socket() as server:
            if port not in given_ports and server.connect_ex(("127.0.0.1", port)) != 0:
                given_ports.add(port)
                return port


def unique(name):
    return f"{name}-{uuid.uuid4().hex[:8]}"


def patient(ask):
    """A broker that is on its way back answers later: its errors are "not yet" for a minute."""
    @functools.wraps(ask)
    def ask_patiently(*arguments):
        end = time.monotonic() + 60
        while True:
            try:
                return ask(*arguments)
            except KafkaException:
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)
    return ask_patiently


class Kafka:
    def __init__(self, brokers):
        self.brokers = brokers
        self.admin = AdminClient({"bootstrap.servers": brokers})

    def make_topic(self, name, partitions, **config):
        self.admin.create_topics([NewTopic(name, partitions, 1, config=config)])[name].result()
        wait_for(f"topic {name}", lambda: len(self.ends(name)) == partitions)

    @patient
    def partitions(self, name):
        topic = self.admin.list_topics(timeout=10).topics.get(name)
        return len(topic.partitions) if topic and not topic.error else 0

    @patient
    def leader(self, topic, partition):
        """The node that leads a partition, once there is one."""
        def leader():
            return self.admin.list_topics(topic, timeout=10).topics[topic].partitions[partition].leader
        return wait_for(f"a leader of {topic} {partition}", lambda: max(leader(), 0))

    def coordinator(self, topic, name):
        """The node that coordinates a group or a transactional id: it leads the partition of the coordinators' topic that is the name's, by
        Java's hash of a string."""
        number = 0
        for char in name:
            number = (31 * number + ord(char)) & 0xFFFFFFFF
        signed = number - (number >> 31 << 32)
        return self.leader(topic, abs(signed) % self.partitions(topic))

    def produce(self, topic, records, **settings):
        """records: dicts of produce(); returns the coordinates (partition, offset) that the broker gave, in the records' order."""
        coordinates = [None] * len(records)
        producer = Producer({"bootstrap.servers": self.brokers, "linger.ms": 20, "message.max.bytes": 4000000, "acks": "all",
                             "enable.idempotence": True, "queue.buffering.max.messages": 1000000, **settings})

        def note(index):
            def delivered(error, message):
                assert error is None, error
                coordinates[index] = (message.partition(), message.offset())
            return delivered

        for index, record in enumerate(records):
            producer.produce(topic, on_delivery=note(index), **record)
            producer.poll(0)
        assert producer.flush(120) == 0
        return coordinates

    @patient
    def ends(self, topic):
        """Of each partition the end of its log, an open transaction's records included: whoever waits for this waits for that to end, too."""
        asked = {TopicPartition(topic, i): OffsetSpec.latest() for i in range(self.partitions(topic))}
        answers = self.admin.list_offsets(asked, request_timeout=10) if asked else {}
        found = {part.partition: answer.result().offset for part, answer in answers.items()}
        return [found[i] for i in range(len(asked))]

    def count(self, topic):
        return sum(self.ends(topic)) if self.partitions(topic) else 0

    def read(self, topic, timeout_s=60):
        """All records of a topic, as a read_committed reader without a group sees them, up to its ends now. Offsets have holes, so only
        the reader's position tells that it is through; an open transaction holds it up, and so does a broker on its way back."""
        left, trouble = dict(enumerate(self.ends(topic))), None
        timeout_s += sum(left.values()) / 2000
        consumer = Consumer({"bootstrap.servers": self.brokers, "group.id": unique("reader"), "enable.auto.commit": False,
                             "isolation.level": "read_committed", "auto.offset.reset": "earliest", "enable.partition.eof": True})
        messages = []
        try:
            consumer.assign([TopicPartition(topic, i, 0) for i in left])
            end = time.monotonic() + timeout_s
            while left and time.monotonic() < end:
                for message in consumer.consume(1000, 0.1):
                    if not message.error():
                        messages.append(message)
                    elif message.error().code() != KafkaError._PARTITION_EOF:
                        trouble = message.error()
                    elif message.offset() >= left.get(message.partition(), 0):
                        left.pop(message.partition(), None)
        finally:
            consumer.close()
        assert not left, f"{topic} could not be read to these ends: {left} ({trouble})"
        return messages

    @patient
    def committed(self, group, topic):
        """Of each partition the group's stable offset, or -1001."""
        parts = [TopicPartition(topic, i) for i in range(self.partitions(topic))]
        asked = [ConsumerGroupTopicPartitions(group, parts)]
        found = self.admin.list_consumer_group_offsets(asked, require_stable=True, request_timeout=10)[group].result().topic_partitions
        for part in found:
            if part.error:
                raise KafkaException(part.error)
        return [part.offset for part in sorted(found, key=lambda part: part.partition)]


class Worker:
    """A `squall run` in a process of its own."""

    def __init__(self, folder, kafka, app, topic, name="w1", model=None, brokers=None, config=None):
        self.folder, self.kafka, self.app, self.name = folder, kafka, app, name
        self.port = free_port()
        self.log = folder / f"{name}.log"
        self.process = None
        settings = {
            "version": 1, "app": app, "instance": name, "kafka": {"brokers": brokers or kafka.brokers,
                                                                   "consumer": {"session.timeout.ms": "6000", "heartbeat.interval.ms": "1000"}},
            "input": {"topics": [topic]}, "output": {"partitions": 4}, "model": {"threads": 1},
            "http": {"listen": f"127.0.0.1:{self.port}"}, "log": {"format": "json"},
        }
        if model:
            settings["model"]["path"] = str(model)
        if SANITIZED:
            settings["sandbox"] = False
        for key, value in (config or {}).items():
            settings.setdefault(key, {})
            settings[key] = {**settings[key], **value} if isinstance(value, dict) else value
        self.config = folder / f"{name}.yaml"
        self.config.write_text(yaml.safe_dump(settings))

    def start(self):
        environment = {key: value for key, value in os.environ.items() if not key.startswith("SQUALL_")}
        environment["SQUALL_CACHE_DIR"] = str(ROOT / "build/cache")
        if "SQUALL_MODEL" in os.environ and "path" not in yaml.safe_load(self.config.read_text())["model"]:
            environment["SQUALL_MODEL"] = os.environ["SQUALL_MODEL"]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([BINARY, "run", "-c", str(self.config)], stdout=log, stderr=log, env=environment)
        return self

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except (OSError, http.client.HTTPException):  # not there, or gone in the middle of its answer
            return 0, ""

    def is_running(self):
        return self.process.poll() is None

    def is_ready(self):
        assert self.is_running(), f"{self.name} ended with {self.process.returncode}:\n{self.log_text()[-3000:]}"
        return self.get("/readyz")[0] == 200

    def wait_ready(self, timeout_s=90):
        wait_for(f"{self.name} is ready", self.is_ready, timeout_s)
        return self

    def status(self):
        return json.loads(self.get("/api/v1/status")[1])

    def metric(self, name, **labels):
        text = self.get("/metrics")[1]
        wanted = "squall_" + name + ("{" + ",".join(f'{key}="{value}"' for key, value in labels.items()) + "}" if labels else "") + " "
        for line in text.splitlines():
            if line.startswith(wanted):
                return float(line[len(wanted):])
        raise AssertionError(f"no metric {wanted}")

    def rss_mib(self):
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        return 0

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def log_text(self):
        return self.log.read_text(errors="replace")

    def log_lines(self):
        whole = self.log_text().rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines() if line.startswith("{")]

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout_s=60):
        return self.process.wait(timeout_s)

    def stop(self, timeout_s=60):
        self.signal(signal.SIGTERM)
        return self.wait(timeout_s)

    def kill(self):
        if self.process and self.is_running():
            self.process.kill()
            self.process.wait()


class Scores:
    """squall.v1.Score through Google's own protobuf: the published schema is what is tested."""

    def __init__(self, folder):
        out = folder / "generated"
        out.mkdir(exist_ok=True)
        subprocess.run(["protoc", f"--proto_path={ROOT}", f"--python_out={out}", "proto/score.proto"], check=True, cwd=ROOT)
        sys.path.insert(0, str(out))
        self.module = importlib.import_module("proto.score_pb2")

    def decode(self, message):
        score = self.module.Score()
        score.ParseFromString(message.value())
        return score


def headers_of(message):
    return {name: value.decode() if value is not None else None for name, value in message.headers() or []}


def letter_coordinates(message):
    headers = headers_of(message)
    return int(headers["__squall.errors.partition"]), int(headers["__squall.errors.offset"])


def outcome(kafka, scores, app):
    """How often each input coordinate came out, as a score and as a dead letter."""
    scored = Counter((score.partition, score.offset) for score in map(scores.decode, kafka.read(f"{app}.scores")))
    lettered = Counter(map(letter_coordinates, kafka.read(f"{app}.dlq")))
    return scored, lettered


def texts():
    """(rating, text) of human-rated snippets: tweets and product reviews."""
    rows = []
    for name in ("tweets", "amazonReviewSnippets"):
        for line in (ROOT / "ops/data/vader" / f"{name}_GroundTruth.txt").read_text(encoding="utf-8", errors="replace").splitlines():
            parts = line.split("\t", 2)
            if len(parts) == 3 and parts[2].strip():
                rows.append((float(parts[1]), parts[2].strip()))
    return rows
