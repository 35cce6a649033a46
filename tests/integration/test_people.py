# SPDX-License-Identifier: Apache-2.0
"""What people say over HTTP outlives the worker they said it to."""
import json
import urllib.error
import urllib.request

from exactly import all_read, posts
from squall import unique, wait_for

RECORDS, PARTITIONS = 4000, 3
# Ordinary posts up to the first wave, and most of that wave.
UP_TO_AN_OPEN_ALERT = int(0.6 * (RECORDS - 4 * 60)) + 55


def ask(worker, method, path, body):
    request = urllib.request.Request(f"http://127.0.0.1:{worker.port}{path}", json.dumps(body).encode(),
                                     {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def silences(worker):
    return json.loads(worker.get("/api/v1/silences")[1])["silences"]


def alerts(worker):
    return [alert["alert"] for alert in json.loads(worker.get("/api/v1/alerts")[1])["alerts"]]


def test_an_acknowledgement_and_a_silence_survive_a_restart(kafka, model, start):
    app, topic = unique("people"), unique("posts")
    kafka.make_topic(topic, PARTITIONS)
    records = posts(RECORDS, PARTITIONS)
    worker = start(app, topic, model=model).wait_ready()
    kafka.produce(topic, records[:UP_TO_AN_OPEN_ALERT])
    wait_for("the first part is read", lambda: all_read(kafka, app, topic), every_s=0.5)
    alert_id = wait_for("an alert is out", lambda: alerts(worker))[-1]["alert_id"]

    assert ask(worker, "POST", "/api/v1/alerts/0123456789abcdef/ack", {"by": "me"})[0] == 404
    assert ask(worker, "POST", f"/api/v1/alerts/{alert_id}/ack", {})[0] == 400
    assert ask(worker, "POST", f"/api/v1/alerts/{alert_id}/ack", {"by": "me"})[0] == 200
    status, put = ask(worker, "POST", "/api/v1/silences", {"entity": "*", "duration": "1h", "by": "me", "comment": "a test"})
    assert status == 200 and put["covered"] == put["partitions"] == 4
    assert ask(worker, "POST", "/api/v1/silences", {"entity": "*", "by": "me"})[0] == 400
    assert worker.stop() == 0

    worker = start(app, topic, model=model, name="w2").wait_ready()
    (kept,) = silences(worker)
    assert (kept["id"], kept["entity"], kept["by"], kept["comment"], kept["covered"]) == (put["id"], "*", "me", "a test", 4)
    kafka.produce(topic, records[UP_TO_AN_OPEN_ALERT:])
    wait_for("the rest is read", lambda: all_read(kafka, app, topic), every_s=0.5)
    told = wait_for("alerts are out", lambda: alerts(worker))
    assert all(alert["silenced"] for alert in told)
    assert all(alert["acknowledged"] for alert in told if alert["alert_id"] == alert_id)
    assert ask(worker, "DELETE", f"/api/v1/silences/{put['id']}", {})[1]["covered"] == 4
    assert ask(worker, "DELETE", f"/api/v1/silences/{put['id']}", {})[0] == 404
    assert worker.stop() == 0
    worker = start(app, topic, model=model, name="w3").wait_ready()
    assert silences(worker) == []
    assert worker.stop() == 0
