# SPDX-License-Identifier: Apache-2.0
"""overload: sample on a real broker: a backlog is worked off by scoring a share of it. Each record is out once, scored or skipped, and the
alerts that are made of the sample say how large a one."""
import json
import time
from collections import Counter
from datetime import datetime

from squall import texts, unique, wait_for

DAY_MS = 86400 * 1000
BACKLOG, WAVE = 16000, 4000  # more than a core scores in the ten seconds until its pace is known, and in the second of a backlog that is allowed


class Posts:
    """About two entities in turn, in the order of event time, long enough to cost the model something; as many as are asked for."""

    def __init__(self, kafka, topic):
        self.kafka, self.topic, self.coordinates = kafka, topic, []
        self.now_ms = int(time.time() * 1000) - 5 * DAY_MS
        rows = texts()
        self.bad, self.good = ([text for rating, text in rows if sign * rating > 2.2] for sign in (-1, 1))

    def count(self):
        return len(self.coordinates)

    def post(self, i, is_wave):
        rows = self.bad if is_wave and i % 2 == 0 or i % 10 == 0 else self.good
        text = " ".join(rows[n % len(rows)] for n in (i, i // len(rows), 3 * i, 5 * i))  # no two alike: neither cached nor collapsed
        return json.dumps({"text": text, "entity": f"e{i % 2}", "author": f"a{i}", "ts": self.now_ms}).encode()

    def add(self, count, step_ms=20000, is_wave=False):
        records = []
        for i in range(self.count(), self.count() + count):
            self.now_ms += step_ms
            records.append({"value": self.post(i, is_wave), "partition": 0})
        self.coordinates += self.kafka.produce(self.topic, records)


def is_in(window, score):
    start, end = (datetime.fromisoformat(window[edge].replace("Z", "+00:00")).timestamp() * 1000 for edge in ("start", "end"))
    return start <= score.event_time_ms < end


def test_a_backlog_is_sampled_and_alerts_say_so(kafka, scores, start):
    app, topic = unique("sample"), unique("posts")
    kafka.make_topic(topic, 1)
    posts = Posts(kafka, topic)
    worker = start(app, topic, config={"overload": "sample", "overload_backlog": "1s", "model": {"threads": 1, "precision": "fp32"}}).wait_ready()
    began = time.monotonic()
    posts.add(BACKLOG)
    posts.add(WAVE, step_ms=1000, is_wave=True)  # of a twentieth the wave still has twenty messages in 15 minutes
    posts.add(100)
    wait_for("all is read", lambda: kafka.committed(f"{app}-score", topic) == kafka.ends(topic), every_s=0.5)
    wait_for("all is judged", lambda: kafka.committed(f"{app}-alert", f"{app}.scores") == kafka.ends(f"{app}.scores"), every_s=0.5)
    status = worker.status()
    assert worker.stop() == 0

    out = [scores.decode(message) for message in kafka.read(f"{app}.scores")]
    skipped = [score for score in out if score.skipped]
    assert Counter((score.partition, score.offset) for score in out) == Counter(posts.coordinates)
    assert not [score for score in out if score.skipped == bool(score.label)]
    assert status["skipped"] == len(skipped) > 0 and status["scored"] == len(out) - len(skipped)
    alerts = [json.loads(message.value()) for message in kafka.read(f"{app}.alerts")]
    assert "FIRING" in [alert["state"] for alert in alerts if alert["entity"] == "e0"], "the wave was not seen"
    for alert in alerts:
        unseen = sum(is_in(alert["window"], score) for score in skipped if score.entity == alert["entity"])
        assert alert["stats"]["skipped"] == unseen
        assert (f"(of a sample: {unseen} more were not scored)" in alert["summary"]) == (unseen > 0)
    assert any(alert["stats"]["skipped"] for alert in alerts)
    print(f"\n{len(out)} records, {len(skipped)} of them skipped in {time.monotonic() - began:.0f} s; {alerts[0]['summary']}")
