# SPDX-License-Identifier: Apache-2.0
"""The same log gives the same alerts, byte for byte: from a worker that is stopped in the middle and goes on with other threads beside a second
worker, both with a second model in shadow, from replays of its scores, and from replays of its input on other numbers of threads."""
import json
import re

from exactly import all_read, posts
from replayed import by_fingerprint, published, replay
from squall import unique, wait_for

RECORDS, PARTITIONS = 4000, 3


def test_the_same_log_gives_the_same_alerts(kafka, model, start, tmp_path):
    app, topic = unique("same"), unique("posts")
    kafka.make_topic(topic, PARTITIONS)
    records = [record for record in posts(RECORDS, PARTITIONS) if "headers" not in record]  # the bad ones tell no time
    # As a producer does that takes the event's time: what is appended then is the same in every replay.
    records = [{**record, "timestamp": int(re.search(rb'"ts": (\d+)', record["value"])[1])} for record in records]
    first = start(app, topic, model=model)
    first.wait_ready()
    half = len(records) * 7 // 10  # within the second wave: an alert is open
    kafka.produce(topic, records[:half])
    wait_for("the first part is read", lambda: all_read(kafka, app, topic), every_s=0.5)
    assert first.stop() == 0
    shadow = {"path": str(model), "sample": 0.5}
    workers = [start(app, topic, model=model, name=f"w{threads}", config={"model": {"threads": threads, "shadow": shadow}}).wait_ready() for threads in (2, 3)]
    kafka.produce(topic, records[half:])
    wait_for("the rest is read", lambda: all_read(kafka, app, topic), every_s=0.5)
    for worker in workers:  # the same model in shadow agrees with itself, and changes nothing
        told = wait_for("a text was compared", lambda: (worker.status()["shadow"]["agreed"] and worker.status()["shadow"]))
        assert (told["model"], told["differed"], told["agreement"], told["mean_difference"]) == (model.name, 0, 1, 0)
        assert worker.metric("shadow_agreement_ratio", model=model.name) == 1 and worker.metric("shadow_texts_total", result="agreed") > 0
    assert [worker.stop() for worker in workers] == [0, 0]

    live = published(kafka, app)
    told = [json.loads(line) for lines in live.values() for line in lines]
    assert len({alert["completeness"]["scores_partition"] for alert in told}) > 1
    assert len({alert["at"][:10] for alert in told}) > 1  # days
    assert sum(map(len, live.values())) > 8 and any('"RESOLVED"' in line for lines in live.values() for line in lines)
    once, said = replay(first, "--topic", f"{app}.scores", "--scores-in")
    assert by_fingerprint(once) == live, said
    again, _ = replay(first, "--topic", f"{app}.scores", "--scores-in", "--from", "start", "--to", "end")
    assert again == once

    texts, said = replay(first, "--topic", topic, "--set", "model.threads=1")
    assert "refused" not in said, said
    assert texts and replay(first, "--topic", topic, "--set", "model.threads=3")[0] == texts
    told = replay(first, "--topic", f"{app}.scores", "--scores-in", "--to", "@-2000d")[1]
    assert told.startswith("0 read, 0 records"), told
