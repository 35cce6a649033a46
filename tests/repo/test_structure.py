# SPDX-License-Identifier: Apache-2.0
"""The promises of ops/docs/ARCHITECTURE.md that a compiler can't keep: floors, owners of external headers, sizes."""
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# A folder may include its own files and those of the floors named; longest prefix wins.
FLOORS = {
    "engine/base": [],
    "engine": ["engine/base"],
    "proto": ["engine/base"],
    "worker/core": ["engine/base", "proto/records.h"],
    "worker/io": ["engine", "proto", "worker/core"],
    "worker/pipeline": ["engine", "proto", "worker/core", "worker/io"],
    "worker/cli": ["engine", "proto", "worker/core", "worker/io", "worker/pipeline"],
    "worker": ["engine", "proto", "worker"],
}

# Where an external library may be included at all.
OWNERS = {
    r"jansson\.h": "engine/base",
    r"(cblas|openblas_config)\.h": "engine/kernels",
    r"utf8proc\.h": "engine",
    r"xxhash\.h": "engine",
    r"protobuf-c/|\.pb-c\.h": "proto",
    r"yaml\.h": "worker/io",
    r"uv\.h": "worker/io",
    r"librdkafka/": "worker/io",
    r"microhttpd\.h": "worker/io",
    r"curl/": "worker/io",
    r"(seccomp|linux/landlock)\.h": "worker/io",
}

LINES_MAX = 800
FUNCTION_LINES_MAX = 70

SOURCES = [ROOT / name for name in subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard", "engine/*.[ch]", "proto/*.[ch]", "worker/*.[ch]"],
    cwd=ROOT, capture_output=True, text=True, check=True).stdout.split() if (ROOT / name).exists()]


def floor_of(path):
    name = path if isinstance(path, str) else path.relative_to(ROOT).as_posix()
    return max((floor for floor in FLOORS if name.startswith(floor + "/")), key=len, default=None)


def includes(path):
    return re.findall(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', path.read_text(), re.M)


def test_there_is_something_to_check():
    assert len(SOURCES) > 20


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_includes_go_down_only(path):
    floor = floor_of(path)
    for name in includes(path):
        if floor_of(name) is None or name.endswith(".pb-c.h"):
            continue
        allowed = [floor, *FLOORS[floor]]
        assert any(name == below or name.startswith(below + "/") for below in allowed), f"{floor} may not include {name}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_external_headers_have_one_owner(path):
    name = path.relative_to(ROOT).as_posix()
    for header in includes(path):
        for pattern, owner in OWNERS.items():
            if re.match(pattern, header) or (r"pb-c" in pattern and header.endswith(".pb-c.h")):
                assert name.startswith(owner + "/"), f"<{header}> belongs to {owner}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_and_functions_stay_small(path):
    lines = path.read_text().splitlines()
    assert len(lines) <= LINES_MAX
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            assert number - start <= FUNCTION_LINES_MAX, f"the function that ends at line {number} has {number - start} lines"
            start = None


def test_every_source_says_its_licence():
    silent = [path.relative_to(ROOT).as_posix() for path in SOURCES
              if "SPDX-License-Identifier: Apache-2.0" not in path.read_text()[:300]]
    assert not silent


def test_no_machine_paths():
    found = subprocess.run(["git", "grep", "-nIE", r"/(home|root)/[a-z]|/tmp/[a-z_]+\.[0-9]+", "--", ":!tests/repo", ":!*.txt", ":!*.csv"],
                           cwd=ROOT, capture_output=True, text=True).stdout
    assert not found
