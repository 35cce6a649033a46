# SPDX-License-Identifier: Apache-2.0
"""squall validate against a real broker: it finds what would go wrong, and changes nothing."""
import json
import subprocess

import tiny_model
from squall import BINARY, free_port, unique


def validate(tmp_path, brokers, model, topic, app, *args):
    config = tmp_path / "squall.yaml"
    config.write_text(json.dumps({"app": app, "kafka": {"brokers": brokers}, "input": {"topics": [topic]}, "model": {"path": str(model)}}))
    done = subprocess.run([BINARY, "validate", "-c", config, "--json", *args], stdout=subprocess.PIPE, text=True, timeout=120)
    report = json.loads(done.stdout)
    assert report["ok"] == (done.returncode == 0)
    return done.returncode, {check["check"]: (check["verdict"], check["detail"]) for check in report["checks"]}


def test_good_records_and_missing_topics(tmp_path, kafka, model):
    app, topic = unique("validate"), unique("posts")
    kafka.make_topic(topic, 3)
    code, checks = validate(tmp_path, kafka.brokers, model, topic, app)
    assert code == 0 and checks["sample"] == ("warn", "the input holds no records yet")
    kafka.produce(topic, [{"value": b'{"text":"fine"}', "partition": i % 3} for i in range(300)])
    code, checks = validate(tmp_path, kafka.brokers, model, topic, app)
    assert code == 0
    assert checks["model"][0] == "ok" and "self-test" in checks["model"][1]
    assert checks["input"] == ("ok", f"{topic} has 3 partitions")
    assert checks["topics"][0] == "warn" and f"{app}.scores" in checks["topics"][1]
    assert checks["sample"] == ("ok", "100 records decoded")
    assert checks["fields"][0] == "warn" and "input.fields" in checks["fields"][1]  # these have a text and nothing else
    assert kafka.partitions(f"{app}.scores") == 0  # nothing was created


def test_live_records_that_disagree(tmp_path, kafka, model):
    app, topic = unique("validate"), unique("posts")
    kafka.make_topic(topic, 1)
    kafka.produce(topic, [{"value": b'{"body":"secret"}' if i == 42 else b'{"text":"fine"}', "partition": 0} for i in range(50)])
    code, checks = validate(tmp_path, kafka.brokers, model, topic, app)
    assert code == 1
    assert checks["sample"] == ("fail", f"1 of 50 records can't be decoded, the first {topic}[0]@42: missing_field: text: field text is absent "
                                        "or null (input.fields.text); it has body")


def test_topics_that_do_not_fit(tmp_path, kafka, model):
    app, topic = unique("validate"), unique("posts")
    code, checks = validate(tmp_path, kafka.brokers, model, topic, app)
    assert code == 78 and checks["input"][0] == "fail"
    kafka.make_topic(topic, 1)
    kafka.make_topic(f"{app}.scores", 4)
    code, checks = validate(tmp_path, kafka.brokers, model, topic, app, "--set", "output.create_topics=false")
    assert code == 78 and checks["topics"][0] == "fail"
    code, checks = validate(tmp_path, kafka.brokers, model, topic, app, "--set", "output.partitions=4")
    assert code == 0


def test_no_broker_no_model_no_label(tmp_path, kafka, model):
    app, topic = unique("validate"), unique("posts")
    code, checks = validate(tmp_path, f"127.0.0.1:{free_port()}", model, topic, app)
    assert code == 69 and "refused" in checks["broker"][1]
    code, checks = validate(tmp_path, kafka.brokers, tmp_path / "nowhere", topic, app, "--offline")
    assert code == 78 and checks["model"][0] == "fail"
    code, checks = validate(tmp_path, kafka.brokers, model, topic, app, "--offline", "--set", "rules.NegativeSpike.label=angry")
    assert code == 78 and checks["rules"][0] == "fail"


def test_a_model_in_shadow(tmp_path, kafka, model):
    app, topic = unique("validate"), unique("posts")

    def shadow(*labels):
        folder = tiny_model.write(tmp_path / "-".join(labels))
        config = json.loads((folder / "config.json").read_text())
        config["id2label"] = {str(i): label for i, label in enumerate(labels)}
        config["label2id"] = {label: i for i, label in enumerate(labels)}
        (folder / "config.json").write_text(json.dumps(config))
        return validate(tmp_path, kafka.brokers, model, topic, app, "--offline", "--set", f"model.shadow.path={folder}")

    code, checks = validate(tmp_path, kafka.brokers, model, topic, app, "--offline", "--set", f"model.shadow.path={tmp_path}/nowhere")
    assert code == 78 and checks["shadow"][0] == "fail" and "model.shadow.path" in checks["shadow"][1]
    code, checks = shadow("negative", "positive", "neutral")
    assert code == 0 and checks["shadow"][0] == "ok"
    code, checks = shadow("negative", "positive", "mixed")
    assert code == 0 and checks["shadow"][0] == "warn" and "'mixed'" in checks["shadow"][1]
    code, checks = shadow("a", "b", "c")
    assert code == 78 and "no label in common" in checks["shadow"][1]
