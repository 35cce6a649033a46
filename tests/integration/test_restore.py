# SPDX-License-Identifier: Apache-2.0
"""What a worker finds when it comes back: its state, a stranger's open transaction in the way, offsets set by other hands."""
import time

import pytest
from exactly import TIMES, all_read, check_alerts, check_ids, open_transaction, posts, set_offsets, transitions
from squall import unique, wait_for

RECORDS, PARTITIONS = 4000, 3
CROWD = 5000 if TIMES == 1 else 100000


@pytest.fixture
def half_way(kafka, model, start):
    """A topic, half of which one worker has read and left in order."""
    app, topic = unique("back"), unique("posts")
    kafka.make_topic(topic, PARTITIONS)
    records = posts(RECORDS, PARTITIONS)
    worker = start(app, topic, model=model).wait_ready()
    kafka.produce(topic, records[:RECORDS * 3 // 4])
    wait_for("the first part is read", lambda: all_read(kafka, app, topic), every_s=0.5)
    assert worker.stop() == 0
    assert transitions(kafka, app), "nothing to lose"
    return app, topic, records[RECORDS * 3 // 4:]


def go_on(kafka, app, topic, records, worker):
    kafka.produce(topic, records)
    wait_for("the rest is read", lambda: all_read(kafka, app, topic), every_s=0.5)
    assert worker.stop() == 0
    check_ids(kafka, app)


def test_alerts_go_on_where_they_stood(kafka, model, start, half_way):
    app, topic, records = half_way
    worker = start(app, topic, model=model, name="w2").wait_ready()
    restored = [line for line in worker.log_lines() if line["msg"] == "state restored"]
    assert sum(line["entities"] for line in restored) > 0
    go_on(kafka, app, topic, records, worker)
    assert check_alerts(kafka, app, worker) > 0


def test_a_strangers_open_transaction_is_waited_for(kafka, model, start, half_way):
    app, topic, records = half_way
    strangers = [open_transaction(kafka, f"{app}.alert-state", i, lasts_s=300) for i in range(kafka.partitions(f"{app}.alert-state"))]
    worker = start(app, topic, model=model, name="w2")
    told = wait_for("it says how far it is", lambda: [line for line in worker.log_lines() if line["msg"] == "restoring"])
    assert [line["partitions"] for line in told] == [len(strangers)], "one line for all"
    time.sleep(3)
    assert worker.get("/readyz")[0] == 503 and "restoring" in worker.get("/readyz")[1]
    for stranger in strangers:
        stranger.abort_transaction(60)
    worker.wait_ready()
    assert not any("rebuilding" in line["msg"] for line in worker.log_lines())
    go_on(kafka, app, topic, records, worker)
    assert strangers and check_alerts(kafka, app, worker) > 0


def test_many_entities_are_restored_though_it_is_killed_while_it_does(kafka, model, start, draw):
    """A stranger's transaction at the end of each state partition keeps the worker from being through before it is killed."""
    app, topic = unique("crowd"), unique("posts")
    kafka.make_topic(topic, 1)  # of several read one after the other, what came later would be late
    records = posts(RECORDS, 1, crowd=CROWD)
    part = len(records) - RECORDS // 10
    worker = start(app, topic, model=model).wait_ready()
    kafka.produce(topic, records[:part])
    wait_for("the first part is read", lambda: all_read(kafka, app, topic), 90 * TIMES, every_s=0.5)
    known = worker.status()["entities"]
    assert worker.stop() == 0
    for _ in range(round(TIMES)):
        strangers = [open_transaction(kafka, f"{app}.alert-state", i) for i in range(kafka.partitions(f"{app}.alert-state"))]
        worker = start(app, topic, model=model, name="w2")
        wait_for("it restores", lambda: "restoring" in worker.get("/readyz")[1], every_s=0.01)
        time.sleep(draw.uniform(0, 1))
        worker.kill()
    began = time.monotonic()
    worker = start(app, topic, model=model, name="w2").wait_ready(90 * TIMES)
    ready_s, cpu_s = time.monotonic() - began, worker.cpu_seconds()
    states = kafka.read(f"{app}.alert-state")
    restored = sum(line["entities"] for line in worker.log_lines() if line["msg"] == "state restored")
    print(f"\n{restored} entities restored from {len(states)} records of {sum(len(state.value() or b'') for state in states)} bytes: ready "
          f"{ready_s:.1f} s after it was started, {cpu_s:.1f} CPU seconds, {worker.rss_mib():.0f} MiB resident")
    assert restored == known and restored > CROWD * 8 // 10
    go_on(kafka, app, topic, records[part:], worker)
    assert check_alerts(kafka, app, worker) > 0


def test_a_reset_offset_is_refused_unless_told_to_rebuild(kafka, model, start, half_way):
    app, topic, records = half_way
    ends = kafka.ends(f"{app}.scores")
    set_offsets(kafka, f"{app}-alert", f"{app}.scores", min(end for end in ends if end) // 2)
    worker = start(app, topic, model=model, name="w2")
    assert worker.wait(60) == 78
    assert "restore: rebuild" in worker.log_text()
    worker = start(app, topic, model=model, name="w3", config={"restore": "rebuild"}).wait_ready()
    assert any("rebuilding" in line["msg"] for line in worker.log_lines())
    kafka.produce(topic, records)
    wait_for("the rest is read", lambda: all_read(kafka, app, topic), every_s=0.5)
    assert worker.stop() == 0
    worker = start(app, topic, model=model, name="w4").wait_ready()
    assert any(line["msg"] == "state restored" and line["entities"] > 0 for line in worker.log_lines()), "of the rebuilt windows"
    assert worker.stop() == 0


def test_a_topic_of_states_that_forgets_is_refused(kafka, model, start):
    app, topic = unique("forget"), unique("posts")
    kafka.make_topic(topic, 1)
    kafka.make_topic(f"{app}.alert-state", 4, **{"cleanup.policy": "compact,delete"})
    worker = start(app, topic, model=model)
    assert worker.wait(60) == 78
    assert f"topic {app}.alert-state has cleanup.policy=compact,delete" in worker.log_text()
