# SPDX-License-Identifier: Apache-2.0
"""Rules reloaded under a running worker: by signal and over HTTP, the old ones kept when the new ones are wrong."""
import json
import os
import signal
import urllib.error
import urllib.request

from squall import unique, wait_for


def post(worker, path):
    request = urllib.request.Request(f"http://127.0.0.1:{worker.port}{path}", b"{}", {"Content-Type": "application/json"}, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def rewrite(worker, text):
    """As an editor does: whoever reads it meanwhile gets the old one or the new one."""
    new = worker.config.with_suffix(".new")
    new.write_text(text)
    os.replace(new, worker.config)


def test_rules_are_reloaded_or_the_old_ones_stay(kafka, model, start):
    app, topic = unique("reload"), unique("posts")
    kafka.make_topic(topic, 1)
    worker = start(app, topic, model=model).wait_ready()
    whole = worker.config.read_text()

    assert post(worker, "/-/reload") == (200, {"ok": True, "needs_a_restart": []})
    assert worker.metric("config_last_reload_successful") == 1
    rewrite(worker, whole + "rules: [{name: Mine, threshold: 4}]\n")
    worker.signal(signal.SIGHUP)
    wait_for("the rules are new", lambda: any(line.get("msg") == "configuration reloaded" and line.get("rules") == 1 for line in worker.log_lines()))

    rewrite(worker, whole + "rules: [{name: Mine, thresold: 4}]\n")
    status, answer = post(worker, "/-/reload")
    assert status == 409 and "did you mean 'threshold'" in answer["error"]
    assert worker.metric("config_last_reload_successful") == 0
    worker.signal(signal.SIGHUP)
    wait_for("that is told", lambda: any(line.get("msg") == "configuration not reloaded: the old one stays in force" for line in worker.log_lines()))
    assert worker.is_running()

    rewrite(worker, whole + "rules: []\nshutdown_timeout: 7s\noverload: sample\n")
    assert post(worker, "/-/reload") == (200, {"ok": True, "needs_a_restart": ["overload", "shutdown_timeout"]})
    assert worker.metric("config_last_reload_successful") == 1
    assert [line for line in worker.log_lines() if line.get("msg") == "configuration reloaded"][-1]["needs_a_restart"] == "overload, shutdown_timeout"
    assert worker.metric("config_last_reload_success_timestamp_seconds") > 1.6e9
    assert worker.stop() == 0
