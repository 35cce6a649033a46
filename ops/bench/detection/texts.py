# SPDX-License-Identifier: Apache-2.0
"""texts.py DATA SIM SQUALL FOLDER [SEED ENTITIES DAYS]: planted events in a stream of real texts, through `squall replay` from end to end.

sim_planted writes who says when something of which tone, and which messages are copies of one text; each text becomes a held-out tweet of that
tone. What is printed is the replay's own judgement, and which share of each kind of decoy an alert met. Texts stay in FOLDER, under build/."""
import json
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

from held_out import LABELS, held_out

SETTLE = "7d"
AFTER_MS = 15 * 60 * 1000


def deal(data, folder):
    tweets = defaultdict(list)
    for text in held_out(data):
        tweets[LABELS[text.label]].append(text.raw)
    with open(folder / "lines.jsonl") as lines, open(folder / "texts.jsonl", "w") as out:
        for line in lines:
            said = json.loads(line)
            of_tone = tweets[said.pop("tone")]
            said["text"] = of_tone[said["text"] % len(of_tone)]
            out.write(json.dumps(said) + "\n")


def read(path):
    with open(path) as lines:
        return [json.loads(line) for line in lines]


def split_planted(folder):
    planted = read(folder / "planted.jsonl")
    with open(folder / "truth.jsonl", "w") as out:
        for p in planted:
            if p["kind"] == "events":
                out.write(json.dumps({key: p[key] for key in ("entity", "start", "end")}) + "\n")
    return planted


def met(planted, firing):
    return any(f["entity"] == planted["entity"] and planted["start"] <= f["at"] < planted["end"] + AFTER_MS for f in firing)


data, sim, squall, folder = sys.argv[1:5]
folder = Path(folder)
folder.mkdir(parents=True, exist_ok=True)
subprocess.run([sim, "tones", *(sys.argv[5:8] or ["401", "24", "21"]), folder], check=True)
deal(data, folder)
planted = split_planted(folder)
subprocess.run([squall, "replay", "--truth", folder / "truth.jsonl", "--settle", SETTLE, "--scores-out", folder / "scores.sqs", "--alerts-out",
                folder / "alerts.jsonl", folder / "texts.jsonl"], check=True, stdout=subprocess.DEVNULL)
firing = [alert for alert in read(folder / "alerts.jsonl") if alert["state"] == "firing"]
count, hit = Counter(p["kind"] for p in planted), Counter(p["kind"] for p in planted if met(p, firing))
for kind in sorted(count):
    print(f"{kind}: {count[kind]} planted, {100 * hit[kind] / count[kind]:.1f} % met by an alert")
