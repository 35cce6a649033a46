# SPDX-License-Identifier: Apache-2.0
"""20,000 real texts in 6 partitions, two workers, one killed -9 and started again: every input coordinate is once in the scores or the
dead letters, and the alert of the entity that got a wave of complaints is there, under one id.

The short form runs a model that costs nothing; SQUALL_TEST_FULL=1 runs the shipped one (some minutes). -s prints the figures."""
import json
import random
import time
from collections import Counter

from squall import FULL, headers_of, outcome, texts, unique, wait_for

RECORDS, PARTITIONS, ENTITIES, DAYS = 20000, 6, 8, 3
WAVE_SIZE, WAVE_MINUTES = 120, 30
DAY_MS = 86400 * 1000


def posts():
    """In the order of event time: days of ordinary texts, and late on the last day a wave of complaints about one entity."""
    rows, draw = texts(), random.Random(1)
    ordinary = [text for rating, text in rows]
    complaints = [text for rating, text in rows if rating <= -1.8]
    start_ms = int(time.time() * 1000) // 60000 * 60000 - (DAYS * DAY_MS + 3600 * 1000)
    wave_ms = start_ms + int((DAYS - 0.25) * DAY_MS)
    out = []
    for i in range(RECORDS - WAVE_SIZE):
        ts = start_ms + i * DAYS * DAY_MS // (RECORDS - WAVE_SIZE)
        out.append((ts, f"entity-{draw.randrange(ENTITIES)}", draw.choice(ordinary)))
    for i in range(WAVE_SIZE):
        out.append((wave_ms + i * WAVE_MINUTES * 60000 // WAVE_SIZE, "entity-3", "a bad phone . " + complaints[i * 7 % len(complaints)]))
    out.sort(key=lambda post: post[0])
    return [{"value": json.dumps({"text": text, "entity": entity, "ts": ts, "author": f"author-{i % 4999}", "id": str(i)}).encode(),
             "partition": i % PARTITIONS} for i, (ts, entity, text) in enumerate(out)]


def test_nothing_is_lost_over_a_kill_and_the_alert_has_one_id(kafka, model, scores, start):
    app, topic = unique("kill"), unique("posts")
    kafka.make_topic(topic, PARTITIONS)
    options = {} if FULL else {"model": model}
    workers = [start(app, topic, name=name, **options) for name in ("w1", "w2")]
    for worker in workers:
        worker.wait_ready()
    began = time.monotonic()
    coordinates = kafka.produce(topic, posts())
    wait_for("a third is scored", lambda: kafka.count(f"{app}.scores") > RECORDS // 3, 600, 0.05)
    workers[1].kill()
    killed_at = kafka.count(f"{app}.scores")
    workers[1] = start(app, topic, name="w2", **options)
    wait_for("the second is back", workers[1].is_ready)

    def all_committed():
        return kafka.committed(f"{app}-score", topic) == kafka.ends(topic)

    wait_for("all is committed", all_committed, 900, 1)
    seconds = time.monotonic() - began
    wait_for("alerts have read all scores", lambda: kafka.committed(f"{app}-alert", f"{app}.scores") == kafka.ends(f"{app}.scores"), 120, 1)
    scored, lettered = outcome(kafka, scores, app)
    missing = set(coordinates) - set(scored) - set(lettered)
    repeated = sum(count - 1 for count in scored.values())
    assert not missing, f"{len(missing)} records are missing"
    assert scored + lettered == Counter(coordinates), f"{repeated} came out twice"

    assert len({(message.key(), message.partition()) for message in kafka.read(f"{app}.scores")}) == ENTITIES, "an entity has one partition"

    alerts = read_alerts(kafka, app)
    firing = [alert for alert in alerts if alert["entity"] == "entity-3" and alert["state"] == "FIRING"]
    ids = {alert["alert_id"] for alert in alerts if alert["entity"] == "entity-3"}
    print(f"\n{RECORDS} records, killed after {killed_at} scores: {len(scored)} scored, {len(lettered)} dead letters, 0 missing, "
          f"{repeated} scored again; {seconds:.0f} s; alerts: {Counter(alert['entity'] + ' ' + alert['state'] for alert in alerts)}")
    assert firing and len(ids) == 1
    examples = [example for alert in alerts if alert["entity"] == "entity-3" for example in alert["examples"]]
    assert examples and all(example["topic"] == topic and example["excerpt"] for example in examples)
    check_restart_is_silent(kafka, app, topic, workers, start, options)


def read_alerts(kafka, app):
    alerts = []
    for message in kafka.read(f"{app}.alerts"):
        alert, headers = json.loads(message.value()), headers_of(message)
        assert message.key().decode() == alert["fingerprint"]
        assert message.partition() == alert["completeness"]["scores_partition"]
        assert headers["ce_id"] == f"{alert['alert_id']}-{alert['seq']}" and headers["ce_subject"] == alert["entity"]
        assert headers["ce_type"] == "squall.alert.v1" and headers["content-type"] == "application/json"
        alerts.append(alert)
    return alerts


def check_restart_is_silent(kafka, app, topic, workers, start, options):
    """A restart restores the state; it neither fires nor resolves anything."""
    for worker in workers:
        assert worker.stop() == 0
    before = len(kafka.read(f"{app}.alerts"))
    worker = start(app, topic, name="w3", **options).wait_ready()
    time.sleep(2)
    assert worker.stop() == 0
    assert len(kafka.read(f"{app}.alerts")) == before
    assert any(line["msg"] == "state restored" and line["entities"] > 0 for line in worker.log_lines())
    assert not any("rebuilding" in line["msg"] for line in worker.log_lines())
