# SPDX-License-Identifier: Apache-2.0
"""What people say over HTTP outlives the worker they said it to."""
import json
import subprocess
import urllib.error
import urllib.request

from exactly import all_read, posts
from squall import BINARY, unique, wait_for

RECORDS, PARTITIONS = 4000, 3
WAVE, WAVE_TEXT = 60, b"a bad phone and a very bad phone"


def ask(worker, method, path, body):
    request = urllib.request.Request(f"http://127.0.0.1:{worker.port}{path}", json.dumps(body).encode(),
                                     {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def command(worker, *arguments):
    """squall alerts with the worker's own configuration: its exit code, the objects on stdout, what is on stderr."""
    done = subprocess.run([BINARY, "alerts", *arguments, "--json", "-c", worker.config], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=60)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def silences(worker):
    return json.loads(worker.get("/api/v1/silences")[1])["silences"]


def alerts(worker):
    return [alert["alert"] for alert in json.loads(worker.get("/api/v1/alerts")[1])["alerts"]]


def owned(worker):
    """The partitions of scores that it has, their states with them."""
    return {part["partition"] for part in worker.status()["partitions"] if part["topic"].endswith(".scores") and part["state"] == "ok"}


def test_an_acknowledgement_and_a_silence_survive_a_restart(kafka, model, start):
    app, topic = unique("people"), unique("posts")
    kafka.make_topic(topic, PARTITIONS)
    records = posts(RECORDS, PARTITIONS)
    worker = start(app, topic, model=model).wait_ready()
    cut = [i for i, record in enumerate(records) if WAVE_TEXT in (record["value"] or b"")][WAVE * 3 // 4]  # the first alert is open
    kafka.produce(topic, records[:cut])
    wait_for("the first part is read", lambda: all_read(kafka, app, topic), every_s=0.5)
    alert_id = wait_for("an alert is out", lambda: alerts(worker))[-1]["alert_id"]

    wait_for("it can be read", lambda: [alert["alert_id"] for alert in command(worker, "list", "--open")[1]] == [alert_id])
    assert command(worker, "list", "--entity", "nobody*")[1] == []
    code, shown, _ = command(worker, "show", alert_id)
    assert code == 0 and shown and {alert["alert_id"] for alert in shown} == {alert_id}
    code, _, said = command(worker, "show", "0123456789abcdef")
    assert code == 1 and "has no alert 0123456789abcdef" in said

    assert ask(worker, "POST", f"/api/v1/alerts/{alert_id}/ack", {})[0] == 400
    code, _, said = command(worker, "ack", "0123456789abcdef", "--by", "me")
    assert code == 1 and "0123456789abcdef: not found" in said
    assert command(worker, "ack", alert_id, "--by", "me")[:2] == (0, [{"id": alert_id, "saved": True}])
    code, (put,), _ = command(worker, "silence", "--entity", "*", "--for", "1h", "--by", "me", "--comment", "a test")
    assert code == 0 and put["covered"] == put["partitions"] == 4
    again = {"entity": "*", "duration": "1h", "by": "me", "comment": "a test", "id": put["id"]}
    assert ask(worker, "POST", "/api/v1/silences", again)[1] == put
    assert ask(worker, "POST", "/api/v1/silences", {"entity": "*", "by": "me"})[0] == 400
    assert worker.stop() == 0

    worker = start(app, topic, model=model, name="w2").wait_ready()
    (kept,) = silences(worker)
    assert (kept["id"], kept["entity"], kept["by"], kept["comment"], kept["covered"]) == (put["id"], "*", "me", "a test", 4)
    kafka.produce(topic, records[cut:])
    wait_for("the rest is read", lambda: all_read(kafka, app, topic), every_s=0.5)
    told = wait_for("alerts are out", lambda: alerts(worker))
    assert all(alert["silenced"] for alert in told)
    wait_for("they can be read", lambda: command(worker, "list", "--rule", "NegativeSpike")[1][-1].get("silenced"))
    assert all(alert["acknowledged"] for alert in told if alert["alert_id"] == alert_id)
    assert [silence["id"] for silence in command(worker, "silences")[1]] == [put["id"]]
    assert command(worker, "unsilence", put["id"])[1] == [put]
    assert ask(worker, "DELETE", f"/api/v1/silences/{put['id']}", {})[0] == 404
    assert worker.stop() == 0
    worker = start(app, topic, model=model, name="w3").wait_ready()
    assert silences(worker) == []
    assert worker.stop() == 0


def test_a_silence_goes_with_its_partition_to_another_worker(kafka, model, start):
    app, topic = unique("people"), unique("posts")
    kafka.make_topic(topic, PARTITIONS)
    kafka.produce(topic, posts(600, PARTITIONS))
    first = start(app, topic, model=model).wait_ready()
    wait_for("all is read", lambda: all_read(kafka, app, topic), every_s=0.5)
    everywhere = ask(first, "POST", "/api/v1/silences", {"rule": "*", "duration": "1h", "by": "me"})[1]
    by_name = {}
    for i in range(12):  # entities of all partitions
        status, put = ask(first, "POST", "/api/v1/silences", {"entity": f"entity-{i}", "duration": "1h", "by": "me"})
        assert status in (200, 202) and put["covered"] == put["partitions"] == 1  # 202: the commit takes its time
        by_name[f"entity-{i}"] = put["id"]

    second = start(app, topic, model=model, name="w2").wait_ready()
    wait_for("both have partitions", lambda: first.is_ready() and second.is_ready() and owned(first) and owned(second)
             and len(owned(first)) + len(owned(second)) == 4)
    known = [{silence["entity"]: silence["id"] for silence in silences(worker)} for worker in (first, second)]
    assert known[0].pop("") == known[1].pop("") == everywhere["id"]
    assert {**known[0], **known[1]} == by_name and not set(known[0]) & set(known[1])
    others = next(iter(known[1]))
    status, answer = ask(first, "POST", "/api/v1/silences", {"entity": others, "duration": "1h", "by": "me"})
    assert status == 421 and others in answer["error"] and "partition" in answer["error"]
    assert ask(first, "DELETE", f"/api/v1/silences/{by_name[others]}", {})[0] == 421
    covered = [json.loads(worker.get("/api/v1/alerts")[1]) for worker in (first, second)]
    assert sum(part["covered"] for part in covered) == covered[0]["partitions"] == 4
    both = [argument for worker in (first, second) for argument in ("--url", f"http://127.0.0.1:{worker.port}")]
    both += ["--url", "http://127.0.0.1:1"]  # a worker that is dead takes nothing from the others
    code, _, said = command(first, "unsilence", by_name[others])
    assert code == 1 and "--url" in said and any(line.strip().startswith("w2 at") for line in said.splitlines())
    assert command(first, "unsilence", by_name[others], *both)[0] == 0
    code, (put,), _ = command(first, "silence", "--rule", "Neg*", "--for", "1h", "--by", "me", *both)
    assert code == 0 and put["covered"] == 4
    code, _, said = command(first, "silence", "--rule", "Neg*", "--for", "1h", "--by", "me")
    assert code == 1 and "--url" in said
    code, listed, said = command(first, "silences", *both)
    assert code == 1 and "http://127.0.0.1:1: nothing answers" in said
    (listed,) = [silence for silence in listed if silence["id"] == put["id"]]
    assert listed["covered"] == listed["partitions"] == 4
    assert first.stop() == 0 and second.stop() == 0
