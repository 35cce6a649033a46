# SPDX-License-Identifier: Apache-2.0
"""What `squall replay` makes of a topic, to be held against what workers published. A replay reads the log alone: no wall clock tells it that a
partition is quiet, nothing disturbs it, and nothing is copied."""
import json
import subprocess

from squall import BINARY


def replay(worker, *arguments, timeout_s=120):
    """The lines of stdout, and stderr, with the configuration of a worker."""
    done = subprocess.run([BINARY, "replay", "-c", worker.config, "--json", "--as-published", *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=timeout_s)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines(), done.stderr


def by_fingerprint(lines):
    """The transitions of each alert in their order. Whether a worker or a replay made them is the one thing that may differ."""
    out = {}
    for line in lines:
        line = line.replace('"mode":"replay"', '"mode":"live"')
        out.setdefault(json.loads(line)["fingerprint"], []).append(line)
    return out


def published(kafka, app):
    return by_fingerprint(message.value().decode() for message in sorted(kafka.read(f"{app}.alerts"), key=lambda m: (m.partition(), m.offset())))
