# SPDX-License-Identifier: Apache-2.0
"""Clusters that ops/kafka runs: the one that the tests share, and others beside it, to be killed or with other listeners."""
import os
import socket
import subprocess
from pathlib import Path

from squall import ROOT, Kafka


def folder_of(environment):
    return Path(environment.get("SQUALL_BROKER_DIR", ROOT / ".kafka"))


class OpsKafka(Kafka):
    """The repository's own, or what the settings in the environment make of it; started unless it runs."""

    def __init__(self, *words, **settings):
        self.environment = {**os.environ, **settings}
        super().__init__(self.run("start", *words).splitlines()[-1])

    def run(self, *words):
        return subprocess.run([ROOT / "ops/kafka", *words], stdout=subprocess.PIPE, text=True, check=True, env=self.environment).stdout

    def nodes(self):
        return len(self.brokers.split(","))

    def pid(self, node):
        return int((folder_of(self.environment) / f"node{node}/pid").read_text())

    def is_up(self, node):
        return Path(f"/proc/{self.pid(node)}").exists()


class OwnKafka(OpsKafka):
    """In a folder and on ports of its own."""

    def __init__(self, folder, *words, **settings):
        self.port = free_ports()
        jars = folder_of(os.environ) / "libs"
        if jars.exists():
            (folder / "libs").symlink_to(jars)
        super().__init__(*words, SQUALL_BROKER_DIR=str(folder), SQUALL_BROKER_PORT=str(self.port), **settings)


def is_free(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) != 0


def free_ports():
    """The first of some near the shared cluster's: a node's controller listens one above, others up to five, and nodes are 100 apart. Not
    any free port, as those are what clients are given for their end: one that is down would lose its own to them."""
    shared = int(os.environ.get("SQUALL_BROKER_PORT", 19092))
    return next(port for port in range(shared + 10, shared + 100, 10) if all(is_free(port + i) for i in range(6)))
