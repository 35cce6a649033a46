# SPDX-License-Identifier: Apache-2.0
"""The published schemas and the configuration's schema, judged by other people's libraries. Needs no broker."""
import json
import os
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("SQUALL_BINARY", str(ROOT / "build/release/squall"))
GOLDEN = ROOT / "tests/golden/alert"


@pytest.fixture(scope="module")
def messages(tmp_path_factory):
    """squall.v1 as protoc and Google's protobuf see it."""
    out = tmp_path_factory.mktemp("schema") / "all.pb"
    names = ["event", "score", "alert", "state"]
    subprocess.run(["protoc", f"--proto_path={ROOT}", f"--proto_path={ROOT / 'proto'}", "--include_imports", f"--descriptor_set_out={out}",
                    *(f"proto/{name}.proto" for name in names)], check=True, cwd=ROOT)
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file:
        pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    return {name: factory.GetPrototype(pool.FindMessageTypeByName(f"squall.v1.{name}")) for name in ("Event", "Score", "Alert", "State", "Meta")}


def test_json_and_protobuf_are_one_alert(messages):
    from_json = json_format.Parse((GOLDEN / "alert.json").read_text(encoding="utf-8"), messages["Alert"]())
    from_protobuf = messages["Alert"].FromString((GOLDEN / "alert.pb").read_bytes())
    assert from_json == from_protobuf
    assert from_protobuf.entity == "café \0 \N{ROCKET}"
    assert from_protobuf.starts_at.ToMilliseconds() == -1500
    assert from_protobuf.examples[0].offset == 2**63 - 1


def test_our_json_is_the_mapping(messages):
    """What Google's printer writes with all fields shown; the numbers of the golden alert have nine digits and fewer."""
    alert = messages["Alert"].FromString((GOLDEN / "alert.pb").read_bytes())
    theirs = json.loads(json_format.MessageToJson(alert, including_default_value_fields=True, preserving_proto_field_name=True))
    ours = json.loads((GOLDEN / "alert.json").read_text(encoding="utf-8"))
    assert theirs == ours


def test_every_field_of_an_alert_is_encoded(messages):
    def empty_fields(message, path=""):
        for field in message.DESCRIPTOR.fields:
            value = getattr(message, field.name)
            if field.message_type is None:
                if value == field.default_value and not (field.name in ("partition", "nanos") or path.endswith("ends_at.")):
                    yield path + field.name
            elif field.message_type.full_name != "google.protobuf.Timestamp":
                for item in value if field.label == field.LABEL_REPEATED else [value]:
                    yield from empty_fields(item, f"{path}{field.name}.")

    assert not list(empty_fields(messages["Alert"].FromString((GOLDEN / "alert.pb").read_bytes())))


def squall(*args, **options):
    return subprocess.run([BINARY, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, **options)


def test_what_init_writes_fits_the_schema(tmp_path):
    schema = json.loads(squall("config", "schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for args in ([], ["--format", "text", "--topic", "a", "--topic", "b"], ["--format", "protobuf", "--brokers", "h:1,i:2"]):
        written = squall("init", *args)
        assert written.returncode == 0, written.stderr
        validator.validate(yaml.safe_load(written.stdout))
        path = tmp_path / "squall.yaml"
        path.write_text(written.stdout)
        shown = squall("config", "show", "-c", str(path))
        assert shown.returncode == 0, shown.stderr
        validator.validate(yaml.safe_load(shown.stdout))
        assert yaml.safe_load(shown.stdout) == json.loads(squall("config", "show", "-c", str(path), "--json").stdout)


@pytest.mark.parametrize("wrong", [{"modle": {}}, {"model": {"threads": 0}}, {"rules": [{"label": "x"}]}, {"shutdown_timeout": "30"},
                                   {"input": {"topics": "posts"}}, {"log": {"level": "loud"}}])
def test_schema_and_loader_refuse_the_same(wrong, tmp_path):
    schema = json.loads(squall("config", "schema").stdout)
    assert not jsonschema.Draft202012Validator(schema).is_valid(wrong)
    path = tmp_path / "squall.yaml"
    path.write_text(json.dumps(wrong))
    refused = squall("validate", "--offline", "-c", str(path))
    assert refused.returncode == 78 and f"{path}:1:" in refused.stdout
