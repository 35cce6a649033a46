# SPDX-License-Identifier: Apache-2.0
"""Texts that kill whoever encodes them. The encoder has no such text, so a library is preloaded that dies of a character."""
import json
import os
from collections import Counter
from pathlib import Path

from squall import ROOT, headers_of, letter_coordinates, outcome, unique, wait_for

KILLER = Path(os.environ.get("SQUALL_BUILD", ROOT / "build" / "dev")) / "tests" / "libkiller.so"
KILLERS = (12, 13)


def test_a_record_that_kills_is_found_out_and_the_rest_goes_on(kafka, model, scores, start, monkeypatch):
    app, topic = unique("loop"), unique("posts")
    kafka.make_topic(topic, 1)
    texts = [f"the phone is good {'💀' if i in KILLERS else i}" for i in range(30)]
    coordinates = kafka.produce(topic, [{"value": json.dumps({"text": text, "entity": "acme"}).encode(), "partition": 0} for text in texts])
    monkeypatch.setenv("LD_PRELOAD", str(KILLER))
    static = {"group.instance.id": "w1"}  # else the group waits for each of the dead
    worker = start(app, topic, model=model, config={"kafka": {"brokers": kafka.brokers, "consumer": static}})
    deaths = 0

    def all_out():
        nonlocal deaths
        if not worker.is_running():
            assert worker.process.returncode == -6, worker.log_text()
            deaths += 1
            worker.start()
        return kafka.committed(f"{app}-score", topic) == [len(texts)]

    wait_for("all records are out", all_out)
    assert 5 <= deaths <= 6, "three that get no further and one alone, then one more; perhaps one before them that got a little way"
    killers = Counter(coordinates[i] for i in KILLERS)
    assert outcome(kafka, scores, app) == (Counter(coordinates) - killers, killers)
    for message in kafka.read(f"{app}.dlq"):
        assert headers_of(message)["__squall.errors.reason"] == "crash_loop"
        assert json.loads(message.value())["text"] == texts[letter_coordinates(message)[1]]
    assert worker.log_text().count("a record that kills workers is stepped over") == len(KILLERS)
    assert worker.stop() == 0
