# SPDX-License-Identifier: Apache-2.0
"""What is tortured: every unit, golden and simulation test of the sanitizer build, and commands of the binary on models of a few kilobytes."""
import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

PREFIXES = ("base_", "core_", "engine_", "io_", "proto_", "worker_", "golden_", "sim_")
ARGUMENTS = {"sim_pipeline": ["--seed", "1"]}
# More than a second undisturbed: not in the short form.
SLOW = {"core_detector", "core_redact", "core_reload", "core_rules", "core_state", "core_watermark", "engine_ensemble", "engine_kernels", "engine_precision",
        "engine_safetensors", "engine_session", "engine_tokenizer", "engine_texthash", "io_http", "sim_pipeline", "sim_planted", "sim_sampling", "sim_study",
        "sim_wire_faults", "squall_replay", "squall_sweep", "worker_alert_stage", "worker_classify_bench", "worker_pipeline", "worker_replay", "worker_replay_compact",
        "worker_replay_tune", "worker_rule_test"}
# A minute and more, of code that the others reach as well.
LEFT_OUT = {"golden_probabilities", "golden_tokens"}
# Each of another tokenizer or family.
MODELS = ("odd-shape", "roberta", "xlm-roberta")
TEXTS = ["the phone is bad", "", "a very good phone, the phone is good \u00e9 \u4e2d", "@someone http://x.example &amp; bad bad bad"]
DOCUMENTED = (0, 1, 2, 69, 78)


@dataclass
class Program:
    name: str
    command: list
    status: int = 0                       # undisturbed
    allowed: tuple = ()                   # exit codes a command may end with; tests: any
    folder: Path = field(default=Path("."))

    @property
    def is_slow(self):
        return self.name in SLOW


def tests(build):
    for path in sorted((build / "tests").iterdir()):
        if path.is_file() and path.name.startswith(PREFIXES) and path.name not in LEFT_OUT:
            yield Program(path.name, [str(path), *ARGUMENTS.get(path.name, [])])


def posts(count):
    for i in range(count):
        text = "a bad phone" if i % 400 > 300 and i % 3 else "the phone is good" if i % 2 else "the phone"
        yield {"text": f"{text} {i}", "entity": f"e{i % 3}", "ts": 1_700_000_000_000 + i * 60_000, "author": f"a{i}", "id": str(i)}


def commands(build, folder, root):
    squall = str(build / "squall")
    (folder / "texts").write_text("\n".join(TEXTS) + "\n", encoding="utf-8")
    (folder / "posts").write_text("".join(json.dumps(post) + "\n" for post in posts(1500)))
    config, rules = str(root / "ops/rules/squall.yaml"), str(root / "ops/rules/negative_spike.test.yaml")

    def command(name, *arguments, status=0):
        return Program(f"squall_{name}", [squall, *arguments], status, DOCUMENTED, folder)

    yield command("version", "version")
    yield command("schema", "config", "schema")
    yield command("show", "config", "show", "--origin", "-c", config, "--set", "input.topics=x")
    yield command("rules", "test", rules)
    yield command("healthcheck", "healthcheck", "--url", "http://127.0.0.1:1", status=1)
    yield command("dlq", "dlq", "list", "--set", "kafka.brokers=127.0.0.1:1", "--set", "input.topics=x", status=69)
    for name in MODELS:
        model = str(folder / name)
        Path(model).mkdir()
        subprocess.run([build / "tests/write_model", name, model], check=True)
        yield command(f"classify_{name}", "classify", "--model", model, "--json", "--logits", "--threads", "2", "texts")
        yield command(f"inspect_{name}", "model", "inspect", model)
    yield command("ensemble", "classify", "--model", str(folder / MODELS[0]), "--model", str(folder / MODELS[0]), "texts")
    yield command("replay", "replay", "--model", str(folder / MODELS[0]), "--scores-out", "scores", "--alerts-out", "alerts",
                  "--report", "report.html", "posts")
    yield command("sweep", "replay", "--model", str(folder / MODELS[0]), "--sweep", "rules.NegativeSpike.threshold=3,4", "posts")


def programs(root, folder):
    build = root / "build/asan"
    yield from commands(build, folder, root)
    yield from tests(build)
