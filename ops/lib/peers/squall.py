# SPDX-License-Identifier: Apache-2.0
"""The other side of the comparison: `squall bench` and `squall classify`, pinned to the same core."""
import json
import os
import subprocess
import sys

from parity import texts

BINARY = os.environ.get("SQUALL_BINARY", texts.ROOT / "build" / "release" / "squall")


def run(arguments, core=None, stdin=None):
    pinned = [] if core is None else ["taskset", "-c", str(core)]
    done = subprocess.run([*pinned, BINARY, *map(str, arguments)], capture_output=True, text=True, input=stdin)
    if done.returncode:
        sys.exit(f"squall {' '.join(map(str, arguments))}: {done.stderr.strip()}")
    return done.stdout


def answers(folder, lines):
    """An object a text, with ids and fp32 logits."""
    told = run(["classify", "--model", folder, "--precision", "fp32", "--json", "--logits"], stdin="".join(f"{line}\n" for line in lines))
    return [json.loads(line) for line in told.splitlines()]


def build(target):
    """A program of the release build that isn't built by itself."""
    subprocess.run(["cmake", "--build", "--preset", "release", "--target", target], cwd=texts.ROOT, stdout=sys.stderr, check=True)
    return next((texts.ROOT / "build" / "release").rglob(target))


def isa_options(isa):
    return [] if isa == "best" else ["--isa", isa]


def bench(folder, texts_file, precision, isa, core, seconds, *options):
    told = run(["bench", "--model", folder, "--input", texts_file, "--precision", precision, "--threads", 1, "--seconds", max(1, round(seconds)),
                "--json", *isa_options(isa), *options], core)
    return json.loads(told.splitlines()[-1])
