# SPDX-License-Identifier: Apache-2.0
"""deck.py DATA SQUALL OUT: what the default model answers to the tweets that its training never saw, counted by what readers said."""
import collections
import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "training"))
import texts  # noqa: E402

data, squall, out = sys.argv[1:4]
held_out = {}
for text in texts.read_semeval(data + "/semeval"):
    key = texts.split_key(text.raw)
    if texts.split_of(key) in ("test", "dev"):
        held_out.setdefault(key, text)
lines = "".join(text.raw + "\n" for text in held_out.values())
answers = subprocess.run([squall, "classify", "--json", "-"], input=lines, capture_output=True, text=True, check=True).stdout.splitlines()
counts = collections.Counter((texts.LABELS[text.label], json.loads(answer)["label"]) for text, answer in zip(held_out.values(), answers))
with open(out, "w") as file:
    for tone in texts.LABELS:
        for answer in texts.LABELS:
            file.write(f"{tone}\t{answer}\t{counts[tone, answer]}\n")
