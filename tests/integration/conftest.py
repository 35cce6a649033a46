# SPDX-License-Identifier: Apache-2.0
"""What the integration tests share: a real Kafka (SQUALL_TEST_BROKERS, else ops/kafka start, which is harmless when it runs), a model that
costs nothing, and workers that don't outlive their test."""
import os
import subprocess
from pathlib import Path

import pytest

import squall
import tiny_model

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def kafka():
    brokers = os.environ.get("SQUALL_TEST_BROKERS")
    if not brokers:
        done = subprocess.run([ROOT / "ops/kafka", "start"], stdout=subprocess.PIPE, text=True, check=True)
        brokers = done.stdout.strip().splitlines()[-1]
    return squall.Kafka(brokers)


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    return tiny_model.write(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="session")
def scores(tmp_path_factory):
    return squall.Scores(tmp_path_factory.mktemp("proto"))


@pytest.fixture
def start(tmp_path, kafka):
    """start(app, topic, ...) starts a worker; what still runs at the end is killed."""
    workers = []

    def start_worker(app, topic, **options):
        worker = squall.Worker(tmp_path, kafka, app, topic, **options)
        workers.append(worker)
        return worker.start()

    yield start_worker
    for worker in workers:
        worker.kill()
