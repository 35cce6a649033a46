# SPDX-License-Identifier: Apache-2.0
"""Access and privacy on a broker that asks for it: TLS, SASL, secrets, and what a running worker gave up."""
import base64
import contextlib
import json
import re
import subprocess
import time
from pathlib import Path

import pytest
from own_kafka import OwnKafka
from squall import BINARY, LIBRDKAFKA, unique, wait_for

SCRAM_WORKS_FROM = (2, 6, 1)  # older ones repeat the nonce, which Kafka 4 refuses


class Secure(OwnKafka):
    def __init__(self, folder):
        super().__init__(folder, "--secure")
        self.tls = folder / "tls"

    def address(self, protocol):
        return f"localhost:{self.port + {'SASL_SSL': 2, 'SSL': 3}[protocol]}"


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    broker = Secure(tmp_path_factory.mktemp("secure"))
    yield broker
    broker.run("clean")


def secret(folder, name, text):
    path = folder / name
    path.write_text(text + "\n")
    path.chmod(0o600)
    return str(path)


def token(principal, lives_s=3600):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
    now = int(time.time())
    return f'{part({"alg": "none"})}.{part({"sub": principal, "iat": now, "exp": now + lives_s})}.'


def sasl(secure, mechanism, **more):
    return {"properties": {"security.protocol": "SASL_SSL", "ssl.ca.location": str(secure.tls / "ca.pem"), "sasl.mechanism": mechanism,
                           **{key.replace("_", "."): value for key, value in more.items()}}}


def by_plain(secure, folder):
    return "SASL_SSL", {**sasl(secure, "PLAIN", sasl_username="bob"), "sasl_password_file": secret(folder, "plain", "pw1")}


def by_token(secure, folder):
    return "SASL_SSL", {**sasl(secure, "OAUTHBEARER"), "sasl_token_file": secret(folder, "token", token("squall"))}


def by_certificate(secure, folder):
    return "SSL", {"properties": {"security.protocol": "SSL", "ssl.ca.location": str(secure.tls / "ca.pem"),
                                  "ssl.certificate.location": str(secure.tls / "client.pem"), "ssl.key.location": str(secure.tls / "client.key")}}


def by_scram(secure, folder):
    return "SASL_SSL", {**sasl(secure, "SCRAM-SHA-512", sasl_username="alice"), "sasl_password_file": secret(folder, "scram", "pw2")}


def post(i):
    return {"key": b"acme", "value": json.dumps({"text": f"the battery died again {i}"}).encode()}


@pytest.mark.parametrize("method", [by_plain, by_token, by_certificate])
def test_records_are_scored_over_an_authenticated_connection(secure, model, tmp_path, start, method):
    app, topic = unique("access"), unique("posts")
    secure.make_topic(topic, 1)
    secure.produce(topic, [post(i) for i in range(20)])
    protocol, settings = method(secure, tmp_path)
    worker = start(app, topic, model=model, brokers=secure.address(protocol), config={"kafka": settings}).wait_ready()
    wait_for("all are scored", lambda: worker.status()["scored"] == 20)
    pages = [worker.get(path) for path in ("/info", "/api/v1/status", "/metrics")]
    assert [status for status, _ in pages] == [200] * 3
    assert worker.stop() == 0
    said = worker.log_text() + "".join(body for _, body in pages)
    assert "pw1" not in said and "eyJ" not in said


def test_scram_works_or_the_version_is_named(secure, model, tmp_path, start):
    app, topic = unique("scram"), unique("posts")
    secure.make_topic(topic, 1)
    protocol, settings = by_scram(secure, tmp_path)
    worker = start(app, topic, model=model, brokers=secure.address(protocol), config={"kafka": settings})
    if LIBRDKAFKA >= SCRAM_WORKS_FROM:
        worker.wait_ready()
    else:
        wait_for("the version is named", lambda: "librdkafka below 2.6.1 can't do SCRAM with Kafka 4" in worker.log_text())


@pytest.mark.parametrize("wrong", ["password", "certificate", "token"])
def test_a_refused_worker_says_so_and_waits(secure, model, tmp_path, start, wrong):
    app, topic = unique("refused"), unique("posts")
    secure.make_topic(topic, 1)
    protocol, settings = {"password": by_plain, "certificate": by_certificate, "token": by_token}[wrong](secure, tmp_path)
    says = {"password": "Authentication failed", "certificate": "SSL", "token": "no \\\"exp\\\""}[wrong]
    if wrong == "password":
        settings["sasl_password_file"] = secret(tmp_path, "wrong", "sesame")
    elif wrong == "certificate":
        settings["properties"] = {key: value for key, value in settings["properties"].items() if "ssl.key" not in key and "certificate" not in key}
    else:
        settings["sasl_token_file"] = secret(tmp_path, "wrong", "e30.eyJzdWIiOiJzZXNhbWUifQ.")
    worker = start(app, topic, model=model, brokers=secure.address(protocol), config={"kafka": settings})
    wait_for("the reason is told", lambda: says in worker.log_text())
    wait_for("it is up, and not ready", lambda: worker.get("/readyz")[0] == 503)
    assert worker.is_running()
    assert "sesame" not in worker.log_text()


def given_up(worker):
    """What the kernel says of its threads: (no new privileges, seccomp's mode)."""
    found = set()
    for thread in Path(f"/proc/{worker.process.pid}/task").iterdir():
        with contextlib.suppress(OSError):  # it ended
            status = dict(re.findall(r"^(\w+):\s*(.*)$", (thread / "status").read_text(), re.M))
            found.add((status["NoNewPrivs"], status["Seccomp"]))
    return found


def test_a_running_worker_has_given_up_what_it_does_not_need(kafka, model, start):
    topic = unique("posts")
    kafka.make_topic(topic, 1)
    worker = start(unique("sandbox"), topic, model=model).wait_ready()
    assert given_up(worker) == {("1", "2")}
    assert any(line["msg"] == "sandboxed" for line in worker.log_lines())


def test_the_sandbox_can_be_turned_off(kafka, model, start):
    topic = unique("posts")
    kafka.make_topic(topic, 1)
    worker = start(unique("open"), topic, model=model, config={"sandbox": False}).wait_ready()
    assert given_up(worker) == {("0", "0")}
