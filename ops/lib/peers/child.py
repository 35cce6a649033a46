# SPDX-License-Identifier: Apache-2.0
"""One peer in a process of its own, pinned by its parent: loads a model once, then times what it is asked to.

Requests and answers are a JSON line each, on stdin and stdout:
    {"order": "arrival", "batch": 32, "seconds": 1, "first": 0, "texts": 512}  ->  {"texts_per_second", "texts_per_cpu_second"}
    {"logits": 64}  ->  {"logits": [[...], ...]}  of the first 64 texts, padded together

Inside the timing: the engine's call on a ready padded array of ids, and its logits as a numpy array. Ids and arrays are made before.
texts_per_second is the median pass's, by the wall clock; texts_per_cpu_second is of all passes, by the process's CPU time.
"""
import gc
import importlib
import json
import os
import statistics
import sys
import time
from pathlib import Path

ENGINES = ["ctranslate2", "openvino", "onnxruntime", "torch"]


def module(engine):
    return importlib.import_module(f"peers.engine_{engine}")


def batches_of(rows, order, size):
    if order == "sorted":
        rows = sorted(rows, key=len)
    return [rows[at: at + size] for at in range(0, len(rows), size)]


class Timer:
    def __init__(self, runner, rows):
        self.runner, self.rows, self.ready = runner, rows, {}

    def one_pass(self, batches):
        began = time.perf_counter()
        for batch in batches:
            self.runner.run(batch)
        return time.perf_counter() - began

    def batches(self, rows, *key):
        """Prepared, and gone through once: shapes that an engine sees for the first time cost it extra."""
        order, size, *_ = key
        if key not in self.ready:
            self.ready[key] = [self.runner.prepare(batch) for batch in batches_of(rows, order, size)]
            self.one_pass(self.ready[key])
        return self.ready[key]

    def measure(self, order, batch, seconds, texts, first=0):
        rows = self.rows[first: first + texts]
        batches, passes = self.batches(rows, order, batch, first, texts), []
        began, began_cpu = time.perf_counter(), time.process_time()
        while not passes or time.perf_counter() - began < seconds:
            passes.append(self.one_pass(batches))
        cpu = time.process_time() - began_cpu
        return {"texts_per_second": len(rows) / statistics.median(passes), "texts_per_cpu_second": len(rows) * len(passes) / cpu}

    def logits(self, count):
        return {"logits": self.runner.run(self.runner.prepare(self.rows[:count])).tolist()}


def serve(runner, rows, answers):
    timer = Timer(runner, rows)
    gc.disable()
    for line in sys.stdin:
        request = json.loads(line)
        answer = timer.logits(request["logits"]) if "logits" in request else timer.measure(**request)
        gc.collect()
        print(json.dumps(answer), file=answers, flush=True)


def main():
    # Engines write to stdout as they please: answers have a descriptor of their own.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    task, engine, folder, work, rows_file, *rest = sys.argv[1:]
    folder, work, rows = Path(folder), Path(work), json.loads(Path(rows_file).read_text())
    if task == "convert":
        work.mkdir(parents=True, exist_ok=True)
        module(engine).convert(folder, work, rows)
        print(json.dumps({"version": module(engine).version()}), file=answers, flush=True)
        return
    runner = module(engine).Runner(folder, work, *rest)
    print(json.dumps({"ready": True}), file=answers, flush=True)
    serve(runner, rows, answers)


if __name__ == "__main__":
    main()
