# SPDX-License-Identifier: Apache-2.0
"""squall dlq: a deploy with a wrong field name fills the dead letters; once it is mended they are sent back and scored."""
import json
import subprocess

from squall import BINARY, unique, wait_for


def dlq(worker, *words):
    return subprocess.run([BINARY, "dlq", words[0], "-c", str(worker.config), *words[1:]], capture_output=True, text=True, timeout=60)


def listed(worker, *words):
    done = dlq(worker, "list", "--json", *words)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def post(i, field):
    return {"key": b"acme", "headers": [("trace", str(i).encode())], "value": json.dumps({field: f"the battery died again {i}"}).encode()}


def test_letters_are_listed_shown_and_sent_back(kafka, model, start):
    app, topic = unique("dlq"), unique("posts")
    kafka.make_topic(topic, 2)
    coordinates = kafka.produce(topic, [post(i, "body") for i in range(12)] + [{"key": b"acme", "value": b"{"}])
    worker = start(app, topic, model=model).wait_ready()
    wait_for("all are dead letters", lambda: worker.status()["dead_lettered"] == 13)
    letters = wait_for("all can be read", lambda: len(listed(worker)) == 13 and listed(worker))  # the transaction's marker may come behind its commit
    assert sorted((letter["source"]["partition"], letter["source"]["offset"]) for letter in letters) == sorted(coordinates)
    assert {letter["source"]["key"] for letter in letters} == {"acme"}
    missing = listed(worker, "--reason", "missing_field")
    assert len(missing) == 12 and len(listed(worker, "--limit", "5")) == 5

    place = f'{missing[0]["partition"]}:{missing[0]["offset"]}'
    shown = dlq(worker, "show", place)
    assert json.loads(shown.stdout)["body"].startswith("the battery") and "missing_field" in shown.stderr
    absent = dlq(worker, "show", "0:999999")
    assert absent.returncode == 69 and "has no record at 0:999999" in absent.stderr

    assert dlq(worker, "retry").returncode == 2, "sending all back needs to be said"
    assert dlq(worker, "retry", "--all", "--dry-run").stdout == "13 would be sent back\n"
    assert worker.stop() == 0
    mended = start(app, topic, model=model, name="w2", config={"input": {"topics": [topic], "fields": {"text": "body"}}}).wait_ready()
    assert dlq(mended, "retry", "--reason", "missing_field").stdout == "12 sent back\n"
    wait_for("they are scored", lambda: mended.status()["scored"] == 12)
    back = kafka.read(topic)[-1:]
    assert dict(back[0].headers())["__squall.errors.attempts"] == b"1"

    assert dlq(mended, "retry", "--reason", "decode", "--json").stdout == '{"sent":1,"refused":0,"dry_run":false}\n'
    wait_for("it fails again", lambda: mended.status()["dead_lettered"] == 1)
    wait_for("and is counted", lambda: sorted(letter["attempts"] for letter in listed(mended, "--reason", "decode")) == [1, 2])


def test_an_app_without_letters_or_topic(kafka, model, start):
    app, topic = unique("none"), unique("posts")
    kafka.make_topic(topic, 1)
    worker = start(app, topic, model=model).wait_ready()
    assert listed(worker) == []
    done = subprocess.run([BINARY, "dlq", "list", "-c", str(worker.config), "--set", "app=nobody"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 78 and "there is no topic nobody.dlq" in done.stderr


def test_a_bad_deploy_stops_before_it_empties_the_topic(kafka, model, start):
    app, topic = unique("deploy"), unique("posts")
    kafka.make_topic(topic, 1)
    kafka.produce(topic, [post(i, "text") for i in range(300)] + [post(i, "body") for i in range(3000)])
    worker = start(app, topic, model=model, config={"dead_letter": {"max_over": 200}})
    assert worker.wait(60) == 78
    assert "of the last 200 records can't be scored" in worker.log_text() and "missing_field" in worker.log_text()
    assert kafka.count(f"{app}.dlq") <= 200 and sum(max(offset, 0) for offset in kafka.committed(f"{app}-score", topic)) <= 500
