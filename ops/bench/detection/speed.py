# SPDX-License-Identifier: Apache-2.0
"""speed.py SIM SQUALL FOLDER: how many saved scores `squall replay` takes a second of CPU, from JSON lines and in the compact form.

The stream is sim_planted's: 36 entities, 14 days, seed 7. Start-up is in the time; the best of three runs."""
import resource
import subprocess
import sys
from pathlib import Path

sim, squall, folder = sys.argv[1:4]
folder = Path(folder)
folder.mkdir(parents=True, exist_ok=True)
lines, compact = folder / "scores.jsonl", folder / "scores.sqs"


def cpu_seconds(*command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


subprocess.run([sim, "scores", "7", "36", "14", folder], check=True)
subprocess.run([squall, "replay", "--scores-in", "--scores-out", compact, "-q", lines], check=True, stdout=subprocess.DEVNULL)
with open(lines, "rb") as file:
    count = sum(1 for _ in file)
for path in (lines, compact):
    seconds = min(cpu_seconds(squall, "replay", "--scores-in", "-q", path) for _ in range(3))
    print(f"{path.name}: {count} scores, {path.stat().st_size / count:.0f} bytes each, {count / seconds / 1e6:.2f} million a second of CPU")
