# SPDX-License-Identifier: Apache-2.0
"""Squall's tokenizer against the Rust `tokenizers` package, one thread each: bench_tokenizer and a process of this file, in turns.

Run by itself: FOLDER FILE; prints texts a second of the package's fastest call, in CPU time of its only thread."""
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

SECONDS = 2.0


def fastest_call(tokenizer, lines):
    """Single calls or batches; without offsets where the package can leave them out. What Python would make of the results is not asked for."""
    calls = {"encode": lambda: [tokenizer.encode(line) for line in lines], "encode_batch": lambda: tokenizer.encode_batch(lines),
             "encode_batch_fast": lambda: tokenizer.encode_batch_fast(lines)}

    def seconds(name):
        calls[name]()
        began = time.process_time()
        calls[name]()
        return time.process_time() - began

    name = min(calls, key=seconds)
    return name, calls[name]


def measure_package(folder, file):
    from parity import folders

    lines = Path(file).read_text("utf-8").removesuffix("\n").split("\n")
    name, call = fastest_call(folders.tokenizer_of_folder(folder), lines)
    passes, began = [], time.process_time()
    while sum(passes) < SECONDS:
        call()
        passes.append(time.process_time() - began)
        began += passes[-1]
    return {"call": name, "texts_per_second": len(lines) / statistics.median(passes)}


def ask(core, *command):
    told = subprocess.run(["taskset", "-c", str(core), *map(str, command)], capture_output=True, text=True, check=True).stdout
    return json.loads(told.splitlines()[-1])


def part(options, material):
    """The part of the JSON."""
    from . import rounds, squall

    bench = squall.build("bench_tokenizer")
    mine, theirs = [], []
    for _ in range(options.rounds):
        mine.append(ask(options.core, bench, material.folder, material.all_file)["texts_per_second"])
        theirs.append(ask(options.core, sys.executable, "-B", "-m", "peers.tokenizing", material.folder, material.all_file))
    rates = [value["texts_per_second"] for value in theirs]
    return {"ratio": rounds.spread([own / other for own, other in zip(mine, rates)]), "against": f"tokenizers, {theirs[0]['call']}",
            "rounds": options.rounds, "rows": [["Squall, texts/s", f"{statistics.median(mine):,.0f}"], ["`tokenizers`, texts/s", f"{statistics.median(rates):,.0f}"],
                     ["texts", f"{material.count:,}"]]}


if __name__ == "__main__":
    print(json.dumps(measure_package(*sys.argv[1:])))
