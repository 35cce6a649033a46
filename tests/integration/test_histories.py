# SPDX-License-Identifier: Apache-2.0
"""The same stories told to the simulated world and to a real broker leave the same history: scores and alerts in their order, dead letters.
So what the simulation finds out about the pipeline holds where the broker is Kafka.

A story (tests/sim/scripts) is a step a line: start, kill, stop N; freeze N MS; pause MS; post COUNT; stranger PARTITION (a transaction in that
partition of the state, left open); wait (for all that was posted to be read and committed). Posts go to one partition, so that their order,
and with it each alert, is the story's and not the clock's."""
import json
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from exactly import all_read, open_transaction
from squall import ROOT, letter_coordinates, unique, wait_for

SCRIPTS = sorted((ROOT / "tests/sim/scripts").glob("*.txt"))
START_MS, BURST, BAD_EVERY = 1700000000000, 25, 37
CONFIG = {  # tests/sim/pipeline/main.c's
    "output": {"partitions": 2}, "time": {"max_future": "1d"},
    "rules": [{"name": "NegativeSpike", "label": "negative", "threshold": 1, "min_messages": 3, "min_matched": 2, "min_authors": 0, "guard": "0s",
               "warmup": {"time": "0s", "messages": 0}, "resolve_after": "10m"}],
}


def post(i):
    """As tests/sim/pipeline/script.c's."""
    is_burst = i // BURST % 3 == 2
    text = f"{'bad' if is_burst or i % 12 == 0 else 'good'} {i}"
    value = f'{{"text":"{text}","entity":"e{i // BURST // 3 % 3 if is_burst else i % 3}","ts":{START_MS + i * 60000}}}'.encode()
    return {"value": value[:-9] if i % BAD_EVERY == BAD_EVERY - 1 else value, "partition": 0}


class Story:
    """A script on a real broker."""

    def __init__(self, kafka, scores, model, start, name):
        self.kafka, self.scores, self.model, self.start_worker, self.name = kafka, scores, model, start, name
        self.app, self.topic, self.posts, self.workers, self.waits, self.strangers = unique("story"), unique("posts"), 0, {}, [], []
        kafka.make_topic(self.topic, 1)

    def play(self, script):
        for line in script.read_text().splitlines():
            if line and not line.startswith("#"):
                verb, *numbers = line.split()
                getattr(self, verb)(*map(int, numbers))

    def start(self, i):
        self.workers[i] = self.start_worker(self.app, self.topic, name=f"{self.name}-{i}", model=self.model, config=CONFIG)

    def kill(self, i):
        self.workers[i].kill()

    def stop(self, i):
        assert self.workers[i].stop() == 0

    def freeze(self, i, ms):
        self.workers[i].signal(signal.SIGSTOP)
        threading.Timer(ms / 1000, self.workers[i].signal, [signal.SIGCONT]).start()

    def pause(self, ms):
        time.sleep(ms / 1000)

    def post(self, count):
        self.kafka.produce(self.topic, [post(i) for i in range(self.posts, self.posts + count)])
        self.posts += count

    def stranger(self, partition):
        self.strangers.append(open_transaction(self.kafka, f"{self.app}.alert-state", partition))

    def wait(self):
        wait_for("all is read", lambda: all_read(self.kafka, self.app, self.topic), 180)
        counts = {name: len(self.kafka.read(f"{self.app}.{name}")) for name in ("scores", "dlq", "alerts")}
        self.waits.append({"wait": self.posts, **counts})

    def history(self):
        for message in self.ordered("scores"):
            score = self.scores.decode(message)
            yield "score", message.partition(), score.offset, score.entity, score.label, score.event_time_ms
        for offset in sorted(letter_coordinates(message)[1] for message in self.kafka.read(f"{self.app}.dlq")):
            yield "letter", offset
        for message in self.ordered("alerts"):
            yield transition(message.partition(), json.loads(message.value()))

    def ordered(self, name):
        return sorted(self.kafka.read(f"{self.app}.{name}"), key=lambda message: (message.partition(), message.offset()))


def transition(partition, alert):
    return ("alert", partition, alert["rule"], alert["entity"], alert["state"], alert["seq"], alert["starts_at"], alert.get("at"),
            alert["severity"], alert["reason"], alert["window"])


def simulated(script):
    """The waits and the history that the simulated world printed."""
    done = subprocess.run([ROOT / "build/dev/tests/sim_pipeline", "--script", script], stdout=subprocess.PIPE, text=True, check=True)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    history = [("score", row["scores"], row["offset"], row["entity"], row["label"], row["ts"]) for row in rows if "offset" in row]
    history += [("letter", offset) for offset in sorted(row["dlq"] for row in rows if "dlq" in row and "wait" not in row)]
    history += [transition(row["alerts"], row["alert"]) for row in rows if "alert" in row]
    return [row for row in rows if "wait" in row], history


@pytest.fixture(scope="module")
def simulator():
    for arguments in (["--preset", "dev"], ["--build", "--preset", "dev", "--target", "sim_pipeline"]):
        subprocess.run(["cmake", *arguments], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def test_each_story_has_one_history(kafka, scores, model, start, simulator):
    """All at once: most of their time sessions and transactions run out."""
    def tell(script):
        story = Story(kafka, scores, model, start, script.stem)
        story.play(script)
        return story.waits, list(story.history())

    assert SCRIPTS
    with ThreadPoolExecutor(len(SCRIPTS)) as pool:
        for script, (waits, found) in zip(SCRIPTS, pool.map(tell, SCRIPTS)):
            expected_waits, expected = simulated(script)
            assert waits == expected_waits, script.stem
            assert found == expected, script.stem
            assert {row[0] for row in found} == {"score", "letter", "alert"}
