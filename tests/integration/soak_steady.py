# SPDX-License-Identifier: Apache-2.0
"""Nothing grows: two workers with the default model under steady load for SQUALL_STEADY_MINUTES, one of them killed -9 each minute, the other left
alone. The load is 60 % of what the two get done in a warm-up on the cores they are given. Each minute what the processes hold and what they
export go to build/soak/steady.jsonl; at the end the worker that lived must have levelled off, and all the checks of the exactly-once tests
hold. Run by `ops/soak steady`, never by ops/test."""
import json
import os
import statistics
import time
from itertools import combinations
from pathlib import Path

from exactly import PARTITIONS, Run, posts
from squall import ROOT, unique, wait_for

MINUTES = float(os.environ.get("SQUALL_STEADY_MINUTES", "65"))
PER_SECOND = int(os.environ.get("SQUALL_STEADY_RATE", "0"))  # 0: LOAD of the capacity
LOAD = 0.6
CORES = {int(core) for core in os.environ.get("SQUALL_STEADY_CORES", "").split(",") if core} or os.sched_getaffinity(0)
WARM_UP_RECORDS = 20000
SETTLED = min(20.0, MINUTES / 3)  # from this minute on nothing may grow
RSS_MIB_PER_HOUR_MAX = 1.0
SPREAD_MAX = 2  # descriptors, threads: connections come and go, but their medians stay
FILE = ROOT / "build/soak/steady.jsonl"


def held(pid):
    """Resident memory, descriptors, threads and CPU time, as the kernel counts them."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return {"rss_kib": int(status["VmRSS"].split()[0]), "fds": len(list(Path(f"/proc/{pid}/fd").iterdir())),
            "threads": int(status["Threads"]), "cpu_s": sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")}


def exported(worker):
    samples = (line.rsplit(" ", 1) for line in worker.get("/metrics")[1].splitlines() if line.startswith("squall_"))
    return {name: float(value) for name, value in samples if "_bucket{" not in name}


def on_cores(start):
    """Workers are given CORES, the test and its broker are not."""
    def start_there(*arguments, **options):
        all_cores = os.sched_getaffinity(0)
        os.sched_setaffinity(0, CORES)
        try:
            return start(*arguments, **options)
        finally:
            os.sched_setaffinity(0, all_cores)
    return start_there


def measure_capacity(kafka, start):
    """Records a second that two workers get done of a backlog, from its first fifth to its last."""
    app, topic = unique("warm"), unique("posts")
    kafka.make_topic(topic, PARTITIONS)
    kafka.produce(topic, [record for record in posts(WARM_UP_RECORDS, PARTITIONS) if "headers" not in record])
    workers = [start(app, topic, name=f"warm{i}") for i in range(2)]

    def reached(share):
        wait_for(f"{share:.0%} is read", lambda: sum(filter(lambda at: at > 0, kafka.committed(f"{app}-score", topic))) >= share * WARM_UP_RECORDS)
        return time.monotonic(), sum(kafka.committed(f"{app}-score", topic))

    (began, first), (ended, last) = reached(0.2), reached(0.8)
    assert [worker.stop() for worker in workers] == [0, 0]
    return (last - first) / (ended - began)


def sample(worker, minute, generation, file):
    row = {"minute": round(minute, 2), "worker": worker.name, "generation": generation, **held(worker.process.pid),
           "metrics": exported(worker)}
    file.write(json.dumps(row) + "\n")
    file.flush()
    return row


def slope_per_hour(rows, name):
    """The median of the slopes between all pairs of samples: single peaks don't move it."""
    return 60 * statistics.median((b[name] - a[name]) / (b["minute"] - a["minute"]) for a, b in combinations(rows, 2))


def level(rows):
    """Prints what the worker that lived held; the slope of its memory, and what else went up or down."""
    settled = [row for row in rows if row["minute"] >= SETTLED]
    tail = max(2, len(settled) // 4)
    slope_mib, wrong = slope_per_hour(settled, "rss_kib") / 1024, []
    print(f"\nRSS {settled[0]['rss_kib'] / 1024:.1f} MiB at minute {settled[0]['minute']:.0f}, {settled[-1]['rss_kib'] / 1024:.1f} at "
          f"{settled[-1]['minute']:.0f}: {slope_mib:+.2f} MiB an hour; CPU {settled[-1]['cpu_s'] / settled[-1]['minute'] / 60:.1%} of a core")
    for name in ("fds", "threads"):
        first, last = (statistics.median(row[name] for row in part) for part in (settled[:tail], settled[-tail:]))
        print(f"{name} {first:g}, at the end {last:g}; at most {max(row[name] for row in rows)}")
        if abs(last - first) > SPREAD_MAX:
            wrong.append(f"{name} went from {first} to {last}")
    if slope_mib >= RSS_MIB_PER_HOUR_MAX:
        wrong.append(f"resident memory grows by {slope_mib:.2f} MiB an hour")
    return wrong


def lag_of(row):
    return sum(value for name, value in row["metrics"].items() if name.startswith("squall_kafka_consumer_lag_records"))


def test_nothing_grows(kafka, scores, start, draw):
    start = on_cores(start)
    capacity = 0 if PER_SECOND else measure_capacity(kafka, start)
    per_second = PER_SECOND or int(LOAD * capacity)
    print(f"\n{per_second} records a second; capacity {capacity:.0f} on cores {sorted(CORES)}", flush=True)
    entities = max(12, int(MINUTES * 60 * per_second / 2500))
    run = Run(kafka, scores, None, start, draw, workers=2, seconds=MINUTES * 60, per_second=per_second, entities=entities, step_s=2.0)
    began, kills, lived, lags = time.monotonic(), 0, [], []
    FILE.parent.mkdir(parents=True, exist_ok=True)
    with open(FILE, "w", encoding="utf-8") as file:
        while run.is_producing():
            time.sleep(max(0.0, began + 60 * (kills + 1) - time.monotonic()))
            minute = (time.monotonic() - began) / 60
            lived.append(sample(run.workers[0], minute, 0, file))
            lags.append(lag_of(lived[-1]) + lag_of(sample(run.workers[1], minute, kills, file)))
            run.kill_and_restart(1)
            kills += 1
    print(f"records waiting at a minute's end: {statistics.median(lags):g}, at most {max(lags):g}")
    wrong = level(lived)
    run.check(kills)
    assert not wrong, wrong
