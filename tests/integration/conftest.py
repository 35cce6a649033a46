# SPDX-License-Identifier: Apache-2.0
"""What the integration tests share: a real Kafka (SQUALL_TEST_BROKERS, else ops/kafka start, which is harmless when it runs), a model that
costs nothing, and workers that don't outlive their test."""
import os
import random
import time

import pytest

import squall
import tiny_model
from own_kafka import OpsKafka, OwnKafka


@pytest.fixture(scope="session")
def kafka():
    brokers = os.environ.get("SQUALL_TEST_BROKERS")
    return squall.Kafka(brokers) if brokers else OpsKafka()


@pytest.fixture(scope="session")
def breakable(kafka, tmp_path_factory):
    """A Kafka whose nodes may be killed. One of three may, where others work; a single one is another than the tests share, as it would have
    to recover whatever they left in it."""
    if isinstance(kafka, OpsKafka) and kafka.nodes() > 1:
        yield kafka
        return
    own = OwnKafka(tmp_path_factory.mktemp("breakable"), SQUALL_BROKER_SESSION_MS="4000")
    yield own
    own.run("clean")


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    return tiny_model.write(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="session")
def scores(tmp_path_factory):
    return squall.Scores(tmp_path_factory.mktemp("proto"))


@pytest.fixture
def draw():
    """The choices of a test that makes some."""
    seed = int(os.environ.get("SQUALL_SEED", time.time()))
    print(f"SQUALL_SEED={seed}")
    return random.Random(seed)


@pytest.fixture
def start(tmp_path, kafka):
    """start(app, topic, ...) starts a worker on the shared Kafka or another; what still runs at the end is killed."""
    workers = []

    def start_worker(app, topic, on=kafka, **options):
        worker = squall.Worker(tmp_path, on, app, topic, **options)
        workers.append(worker)
        return worker.start()

    yield start_worker
    for worker in workers:
        worker.kill()
