# SPDX-License-Identifier: Apache-2.0
"""Scores a CPU second of `squall run` on the records of a real broker, in turns with python_worker.py, and in turns with `squall bench`.

A topic is filled once with distinct texts. Each worker starts anew, pinned to one core; the clock is its process's CPU time (all threads) from
when it has committed its first records to when it has committed all. The broker's and the watching process's time doesn't count."""
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
import uuid

from parity import texts

from . import rounds, squall, tune
from .material import WORK

RECORDS, WARM_UP, PARTITIONS, ENTITIES, WAIT_S = 8000, 1000, 6, 20, 300


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def records_texts():
    return list(itertools.islice(dict.fromkeys(texts.vader()), RECORDS))


class Broker:
    """ops/kafka's, on SQUALL_BROKER_PORT; stopped again if it didn't run before."""

    def __enter__(self):
        self.ours = subprocess.run([texts.ROOT / "ops" / "kafka", "status"], capture_output=True).returncode != 0
        self.address = subprocess.run([texts.ROOT / "ops" / "kafka", "start"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()[-1]
        return self

    def __exit__(self, *_):
        if self.ours:
            subprocess.run([texts.ROOT / "ops" / "kafka", "clean"], check=True)

    def fill(self, topic):
        from confluent_kafka import Producer
        from confluent_kafka.admin import AdminClient, NewTopic

        admin = AdminClient({"bootstrap.servers": self.address})
        admin.create_topics([NewTopic(topic, PARTITIONS, 1)])[topic].result()
        producer = Producer({"bootstrap.servers": self.address})
        began_ms = int(time.time() * 1000) - RECORDS * 1000
        for at, text in enumerate(records_texts()):
            record = {"text": text, "entity": f"entity-{at % ENTITIES}", "ts": began_ms + at * 1000, "author": f"author-{at % 997}", "id": str(at)}
            producer.produce(topic, json.dumps(record), partition=at % PARTITIONS)
        assert producer.flush(60) == 0

    def watcher(self, app, topic):
        """Returns how many records the worker has committed."""
        from confluent_kafka import Consumer, TopicPartition

        consumer = Consumer({"bootstrap.servers": self.address, "group.id": f"{app}-score"})
        partitions = [TopicPartition(topic, at) for at in range(PARTITIONS)]
        return lambda: sum(max(0, part.offset) for part in consumer.committed(partitions, timeout=20))


def squall_command(broker, app, topic, **model):
    """Both stages, exactly once; `model`: other settings than the defaults."""
    config = WORK / "stream.yaml"
    config.write_text(json.dumps({"version": 1, "app": app, "kafka": {"brokers": broker.address}, "input": {"topics": [topic]},
                                  "model": {"threads": 1, **model}, "http": {"listen": ""}}))
    return [squall.BINARY, "run", "-c", config]


def python_command(broker, app, topic, folder, onnx_file):
    return [sys.executable, "-B", "-m", "peers.python_worker", broker.address, app, topic, folder, onnx_file]


def wait_until(committed, count, process):
    end = time.monotonic() + WAIT_S
    while (done := committed()) < count:
        if process.poll() is not None:
            raise RuntimeError(f"the worker ended: {(WORK / 'stream.log').read_text()[-2000:]}")
        if time.monotonic() > end:
            raise RuntimeError(f"{done} of {count} records were committed within {WAIT_S} s")
        time.sleep(0.02)
    return done


def scores_a_cpu_second(broker, topic, core, command, *arguments, **settings):
    """Of the worker that command(broker, app, topic, *arguments, **settings) starts."""
    app = f"bench-{uuid.uuid4().hex[:8]}"
    committed = broker.watcher(app, topic)
    with (WORK / "stream.log").open("w") as log:
        arguments = ["taskset", "-c", str(core), *map(str, command(broker, app, topic, *arguments, **settings))]
        process = subprocess.Popen(arguments, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            first = wait_until(committed, WARM_UP, process)
            began = cpu_seconds(process.pid)
            last = wait_until(committed, RECORDS, process)
            return (last - first) / (cpu_seconds(process.pid) - began)
        finally:
            process.terminate()
            process.wait()


def in_turns(options, *sides):
    """[(figure of the first side, of the second) a round], each side a function of the broker and a filled topic."""
    topic = f"bench-{uuid.uuid4().hex[:8]}"
    with Broker() as broker:
        broker.fill(topic)
        return [[side(broker, topic) for side in sides] for _ in range(options.rounds)]


def against_python(options, material):
    """The part of the JSON."""
    variant = tune.settings(material, "onnxruntime", "int8", "best", options.core, options.retune)["arrival"]["variant"]
    onnx_file = material.work / "onnxruntime" / f"{variant}.onnx"
    pairs = in_turns(options, lambda *at: scores_a_cpu_second(*at, options.core, squall_command),
                     lambda *at: scores_a_cpu_second(*at, options.core, python_command, material.folder, onnx_file))
    own, theirs = zip(*pairs)
    return {"ratio": rounds.spread([mine / other for mine, other in pairs]), "against": f"tokenizers and ONNX Runtime int8 ({variant})",
            "rounds": options.rounds,
            "isa": squall.bench(material.folder, material.single_file, "int8", "best", options.core, 1)["isa"],
            "rows": [["`squall run`, scores a CPU second", f"{statistics.median(own):,.0f}"],
                     ["Python worker, scores a CPU second", f"{statistics.median(theirs):,.0f}"],
                     ["records, all of them distinct texts", f"{RECORDS:,}"]]}


def against_bench(options, material):
    """The part of the JSON: what a message costs in the worker over what its text costs the bare engine; every text is encoded in both."""
    timed = WORK / "stream.txt"
    timed.write_text("".join(f"{text}\n" for text in records_texts()[WARM_UP:]))
    told = []

    def bench(*_):
        told.append(squall.bench(material.folder, timed, "int8", "best", options.core, options.seconds))
        return told[-1]["texts_per_cpu_second"]

    pairs = in_turns(options, bench, lambda *at: scores_a_cpu_second(*at, options.core, squall_command, precision="int8", score_cache=0))
    texts_rate, scores_rate = (statistics.median(side) for side in zip(*pairs))
    return {"ratio": rounds.spread([bare / worker for bare, worker in pairs]), "against": "`squall bench`", "rounds": options.rounds,
            "isa": told[0]["isa"],
            "rows": [["`squall run`, exactly once, microseconds of CPU time a message", f"{1e6 / scores_rate:.0f}"],
                     ["`squall bench --threads 1`, microseconds of CPU time a text", f"{1e6 / texts_rate:.0f}"],
                     ["records, all of them distinct texts", f"{RECORDS:,}"]]}
