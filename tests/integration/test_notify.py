# SPDX-License-Identifier: Apache-2.0
"""Alerts out of the log to receivers that are down, slow, overloaded or broken: nothing is lost, and what comes twice has one name."""
import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from squall import free_port, unique, wait_for


class Receiver:
    """answers: (status, headers, delay in seconds) in turn, the last one from then on."""

    def __init__(self, port, answers):
        self.got, self.answers, self.lock = [], list(answers), threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with outer.lock:
                    status, headers, delay = outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0]
                time.sleep(delay)
                with outer.lock:
                    outer.got.append((status, dict(self.headers), body, self.path))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def taken(self):
        with self.lock:
            return [(headers["Idempotency-Key"], json.loads(body)) for status, headers, body, path in self.got if 200 <= status < 300]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def record(number, state="FIRING", reason="threshold", seq=0):
    alert = {"state": state, "reason": reason, "fingerprint": f"{number:016x}", "alert_id": f"{number + 4096:016x}", "seq": seq, "app": "a",
             "rule": "NegativeSpike", "entity": f"entity-{number}", "severity": "warning", "summary": f"alert {number}",
             "starts_at": "2026-01-01T00:00:00Z", "at": "2026-01-01T00:01:00Z", "stats": {"count": 58, "matched": 41}, "examples": []}
    return {"key": alert["fingerprint"].encode(), "value": json.dumps(alert).encode(), "partition": number % 4}


def name_of(number, seq=0):
    return f"{number + 4096:016x}-{seq}"


def test_nothing_is_lost_while_the_receiver_is_away(kafka, model, start, tmp_path):
    app, topic, port = unique("notify"), unique("posts"), free_port()
    kafka.make_topic(topic, 1)
    (tmp_path / "key").write_text("s3cret\n")
    # One receiver is not there at all: that is its own affair.
    config = {"notify": [{"url": f"http://127.0.0.1:{port}/hook", "hmac_key_file": str(tmp_path / "key")},
                         {"name": "away", "url": f"http://127.0.0.1:{free_port()}/"}]}
    workers = [start(app, topic, name=name, model=model, config=config).wait_ready() for name in ("w1", "w2")]
    alerts = f"{app}.alerts"
    kafka.produce(alerts, [record(i) for i in range(20)])
    wait_for("a delivery failed", lambda: sum(w.metric("alert_deliveries_total", sink="webhook", result="retried") for w in workers) > 0)
    assert sum(w.metric("alert_deliveries_total", sink="webhook", result="delivered") for w in workers) == 0

    receiver = Receiver(port, [(500, {}, 0), (429, {"Retry-After": "1"}, 0), (503, {}, 0), (200, {}, 0.2), (200, {}, 0)])
    wait_for("all are delivered", lambda: len({name for name, _ in receiver.taken()}) == 20)
    workers[0].kill()
    kafka.produce(alerts, [record(i, "RESOLVED", "calm", 1) for i in range(20)])
    wait_for("the other goes on", lambda: len({name for name, _ in receiver.taken()}) == 40, 120)
    wait_for("all is committed", lambda: sum(max(o, 0) for o in kafka.committed(f"{app}-notify-webhook", alerts)) == sum(kafka.ends(alerts)))

    names = [name for name, _ in receiver.taken()]
    assert set(names) == {name_of(i, seq) for i in range(20) for seq in (0, 1)}
    for number in range(20): # an alert's transitions stay in their order
        assert [n for n in dict.fromkeys(names) if n.startswith(f"{number + 4096:016x}")] == [name_of(number), name_of(number, 1)]
    for _, headers, body, path in receiver.got:
        expected = "sha256=" + hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
        assert headers["X-Squall-Signature"] == expected and path == "/hook"
    assert "s3cret" not in workers[1].log_text()
    assert workers[1].metric("alert_deliveries_total", sink="away", result="delivered") == 0
    assert sum(max(offset, 0) for offset in kafka.committed(f"{app}-notify-away", alerts)) == 0
    assert workers[1].stop() == 0
    receiver.close()


def test_alertmanager_hears_of_what_is_open_after_a_restart(kafka, model, start):
    app, topic, port = unique("notify"), unique("posts"), free_port()
    kafka.make_topic(topic, 1)
    receiver = Receiver(port, [(200, {}, 0)])
    config = {"notify": [{"type": "alertmanager", "urls": [f"http://127.0.0.1:{port}"], "every": "1s"}]}
    worker = start(app, topic, model=model, config=config).wait_ready()
    kafka.produce(f"{app}.alerts", [record(1), record(2), record(2, "RESOLVED", "calm", 1)])

    def latest():
        bodies = [body for _, body in receiver.taken()]
        return {alert["labels"]["entity"]: alert for alert in bodies[-1]} if bodies else {}

    wait_for("both were told", lambda: set(latest()) == {"entity-1", "entity-2"})
    wait_for("all is committed", lambda: sum(max(o, 0) for o in kafka.committed(f"{app}-notify-alertmanager", f"{app}.alerts")) == 3)
    assert worker.stop() == 0
    receiver.got.clear()
    start(app, topic, model=model, config=config).wait_ready()
    wait_for("what is open is told again", lambda: "entity-1" in latest())
    ends = latest()["entity-1"]["endsAt"]
    wait_for("and again, with a later end", lambda: latest()["entity-1"]["endsAt"] > ends)
    receiver.close()
