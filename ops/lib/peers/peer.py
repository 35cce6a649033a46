# SPDX-License-Identifier: Apache-2.0
"""A peer's process seen from the outside: starts child.py pinned to a core, asks, ends it."""
import json
import os
import subprocess
import sys

from . import child

# How each library is held to AVX2; what has no such switch is in its engine's NOT_HELD.
HELD_TO_AVX2 = {
    "ONEDNN_MAX_CPU_ISA": "AVX2", "DNNL_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2", "ATEN_CPU_CAPABILITY": "avx2",
    "CT2_FORCE_CPU_ISA": "AVX2",
}


def variants(engine, precision, isa):
    """The settings worth trying; none where the engine can't be held."""
    module = child.module(engine)
    return [name for name in module.VARIANTS[precision] if isa == "best" or name not in getattr(module, "NOT_HELD", ())]


def environment(engine, variant, isa):
    return {**os.environ, **child.module(engine).environment(variant), **(HELD_TO_AVX2 if isa == "avx2" else {})}


class Peer:
    """Opened with `with`; stderr of the engine goes to a log, whose end is shown if it dies."""

    def __init__(self, engine, variant, material, precision, isa, core):
        self.name, self.log = f"{engine} {precision} {variant}", material.work / f"{engine}.log"
        command = ["taskset", "-c", str(core), sys.executable, "-B", "-m", "peers.child", "run", engine, material.folder, material.work / engine,
                   material.rows_file, precision, variant]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(list(map(str, command)), env=environment(engine, variant, isa), stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=log, text=True)

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} died: {self.log.read_text()[-2000:]}")
        return json.loads(line)

    def ask(self, **request):
        print(json.dumps(request), file=self.process.stdin, flush=True)
        return self.answer()

    def __enter__(self):
        self.answer()
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def convert(engine, material):
    """Model files for the engine, unless they are there; returns its version."""
    command = [sys.executable, "-B", "-m", "peers.child", "convert", engine, material.folder, material.work / engine, material.rows_file]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"ops/bench/peers: {engine} couldn't convert {material.folder}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])["version"]
