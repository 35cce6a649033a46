# SPDX-License-Identifier: Apache-2.0
"""Runs test programs and commands of the sanitizer build again and again, each time with another fallible call failing (fallible.c). A test may
fail and a command may say what is wrong, but none may die of a signal, hang, or make a sanitizer speak; leaks count where the program ended
in order.

    torture.py [--short] [--seconds N] [--only REGEX]    exit 1 if something was found; build/torture has what it printed

For each program: one call from each place in the code, then one from each stack, then a spread of all, for N seconds (40). --short:
RUNS_SHORT of a program's places, which SQUALL_SEED chooses (1), and not the slow programs."""
import argparse
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from programs import programs

ROOT = Path(__file__).resolve().parents[2]
LOGS = ROOT / "build/torture"
RUNS_SHORT = 3    # a program
SPREAD = 500
TIMEOUT_S = 240   # of a run; the slowest program takes a minute undisturbed
SANITIZER = 99
SEED = os.environ.get("SQUALL_SEED", "1")
ENVIRONMENT = {"ASAN_OPTIONS": f"detect_leaks=1:exitcode={SANITIZER}:handle_segv=2:handle_abort=2:handle_sigbus=2:handle_sigfpe=2:allocator_may_return_null=1",
               "UBSAN_OPTIONS": f"print_stacktrace=1:exitcode={SANITIZER}",
               "LSAN_OPTIONS": f"exitcode={SANITIZER}:suppressions={ROOT}/tests/torture/leaks.supp:print_suppressions=0"}


def run(program, **variables):
    """Exit status, None where it hung, and what it printed."""
    with tempfile.TemporaryDirectory(dir=LOGS) as temporary:
        environment = {**os.environ, **ENVIRONMENT, "TMPDIR": temporary, **variables}
        return run_in(environment, program)


def run_in(environment, program):
    with subprocess.Popen(program.command, cwd=program.folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, start_new_session=True) as process:
        try:
            return process.communicate(timeout=TIMEOUT_S)[0], process.returncode
        except subprocess.TimeoutExpired:
            process.kill()
            return process.communicate()[0], None


def calls(program):
    """(number, stack, place) of the first call from each stack; the last is about how many there are."""
    path = LOGS / f"{program.name}.calls"
    path.unlink(missing_ok=True)
    output, status = run(program, SQUALL_TORTURE_LIST=str(path))
    assert status == program.status, f"{program.name} ends with {status} undisturbed:\n{output.decode(errors='replace')[-3000:]}"
    rows = (line.split() for line in path.read_text().splitlines()) if path.exists() else ()
    return [(int(number), stack, f"{name} {place}") for number, name, stack, place in rows]


def interesting(found):
    """The first call from each place, then from each stack, then others in between, evenly."""
    last, places, numbers = found[-1][0] if found else 0, set(), {}
    for number, _, place in found:
        if place not in places:
            places.add(place)
            numbers[number] = None
    places_count = len(numbers)
    numbers.update((number, None) for number, _, _ in found)
    numbers.update((number, None) for number in range(1, last + 1, max(1, last // SPREAD)))
    return list(numbers), places_count


def is_of_the_test(output):
    """Whether it was the test itself that fell over what it was refused: the first frame in this repository is its own."""
    trace = output.decode(errors="replace").rpartition("torture: call")[2]
    frame = re.search(rf" in \S+ {re.escape(str(ROOT))}/(\S+)", trace)
    return "LeakSanitizer" not in trace and frame is not None and frame.group(1).startswith("tests/")


def verdict(program, output, status):
    if status is None:
        return "hangs"
    if status < 0:
        return f"dies of signal {-status}"
    if status == SANITIZER or b"Sanitizer" in output or b"runtime error:" in output:
        return None if is_of_the_test(output) else "sanitizer"
    return f"exit code {status}" if program.allowed and status not in program.allowed else None


def torture(program, number):
    output, status = run(program, SQUALL_TORTURE=str(number))
    found = verdict(program, output, status)
    if found:
        (LOGS / f"{program.name}.{number}.log").write_bytes(output)
        print(f"{program.name} {number}: {found}, build/torture/{program.name}.{number}.log", flush=True)
    return found is not None


def torture_program(program, seconds, is_short):
    """How many runs, how many found."""
    numbers, places = interesting(calls(program))
    if is_short:
        numbers = random.Random(f"{SEED} {program.name}").sample(numbers[:places], min(places, RUNS_SHORT))
    end, runs, found = time.monotonic() + seconds, 0, 0
    for number in numbers:
        if time.monotonic() > end:
            break
        runs, found = runs + 1, found + torture(program, number)
    print(f"{program.name}: {runs} of {len(numbers)}, {places} places: {found} found", flush=True)
    return runs, found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    LOGS.mkdir(parents=True, exist_ok=True)
    for log in LOGS.glob("*.log"):
        log.unlink()
    began, runs, found = time.monotonic(), 0, 0
    with tempfile.TemporaryDirectory(dir=LOGS) as folder, ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        chosen = [program for program in programs(ROOT, Path(folder))
                  if re.search(options.only, program.name) and not (options.short and program.is_slow)]
        for results in pool.map(lambda program: torture_program(program, options.seconds, options.short), chosen):
            runs, found = runs + results[0], found + results[1]
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{runs} runs of {len(chosen)} programs in {time.monotonic() - began:.0f} s, {used.ru_utime + used.ru_stime:.0f} s of CPU"
          f"{', seed ' + SEED if options.short else ''}: {found} found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
