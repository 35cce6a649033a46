# SPDX-License-Identifier: Apache-2.0
"""What the figures were taken on."""
import os
import platform
import re
import subprocess
from pathlib import Path

# What matters to these engines, of the names in /proc/cpuinfo.
INSTRUCTIONS = ["avx2", "fma", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8"]


def output(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def describe():
    cpuinfo = Path("/proc/cpuinfo").read_text()
    field = lambda name: (re.search(rf"^{name}\s*: (.*)$", cpuinfo, re.M) or [None, "unknown"])[1]
    flags = field("flags").split()
    system = re.search(r'^PRETTY_NAME="(.*)"$', Path("/etc/os-release").read_text(), re.M)
    return {
        "cpu": field("model name"), "family": f"{field('cpu family')}/{field('model')}", "cores": len(os.sched_getaffinity(0)),
        "instructions": [name for name in INSTRUCTIONS if name in flags], "kernel": platform.release(),
        "system": system[1] if system else platform.platform(), "compiler": output("cc", "--version").split("\n")[0],
        "python": platform.python_version(),
    }


def revision(root):
    """Of what is measured: the page that the figures are written into doesn't count."""
    changed = output("git", "-C", str(root), "status", "--porcelain", "--", "engine", "proto", "worker", "ops/lib")
    return output("git", "-C", str(root), "rev-parse", "--short", "HEAD") + ("-dirty" if changed else "")
