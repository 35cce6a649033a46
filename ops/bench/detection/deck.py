# SPDX-License-Identifier: Apache-2.0
"""deck.py DATA SQUALL OUT: what the default model answers to the tweets that its training never saw, counted by what readers said."""
import collections
import json
import subprocess
import sys

from held_out import LABELS, held_out

data, squall, out = sys.argv[1:4]
tweets = held_out(data)
lines = "".join(text.raw + "\n" for text in tweets)
answers = subprocess.run([squall, "classify", "--json", "-"], input=lines, capture_output=True, text=True, check=True).stdout.splitlines()
counts = collections.Counter((LABELS[text.label], json.loads(answer)["label"]) for text, answer in zip(tweets, answers))
with open(out, "w") as file:
    for tone in LABELS:
        for answer in LABELS:
            file.write(f"{tone}\t{answer}\t{counts[tone, answer]}\n")
