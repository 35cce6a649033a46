# SPDX-License-Identifier: Apache-2.0
"""What `squall demo` promises beyond its sum, which ops/test checks by running it: errors, and that nothing stays behind."""
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SQUALL = Path(os.environ.get("SQUALL_BUILD", ROOT / "build" / "dev")) / "squall"


def family(pid):
    """The processes that `pid` started and that still run, as Linux knows them."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def alive(pids):
    def state(pid):
        try:
            return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return "gone"
    return [pid for pid in pids if state(pid) not in ("gone", "Z", "X")]


def start(tmp_path, *args):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    process = subprocess.Popen([SQUALL, "demo", "--texts", "2000", *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               env=environment)
    for line in process.stdout:
        if "web     http://" in line:
            return process
    raise AssertionError(f"the demo ended with {process.wait()}")


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def wait_gone(pids, seconds=30):
    deadline = time.monotonic() + seconds
    while alive(pids) and time.monotonic() < deadline:
        time.sleep(0.1)
    return alive(pids)


def test_a_taken_port_is_said_at_once():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        port = sock.getsockname()[1]
        ran = subprocess.run([SQUALL, "demo", "--port", str(port)], capture_output=True, text=True, timeout=20)
    assert ran.returncode == 1
    assert f"port {port} is in use" in ran.stderr and "--port" in ran.stderr


def test_options_are_checked():
    for args in (["--workers", "0"], ["--kill-one"], ["--texts", "5"], ["--nonsense"]):
        assert subprocess.run([SQUALL, "demo", *args], capture_output=True, timeout=20).returncode == 2


def test_ctrl_c_stops_everything_and_leaves_nothing(tmp_path):
    process = start(tmp_path, "--port", str(free_port()), "--workers", "2")
    children = family(process.pid)
    assert len(children) == 3
    assert len(list(tmp_path.glob("squall-demo-*/worker-*.log"))) == 2
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert wait_gone(children) == []
    assert list(tmp_path.iterdir()) == []


def test_children_die_with_their_parent(tmp_path):
    process = start(tmp_path, "--port", str(free_port()))
    children = family(process.pid)
    assert len(children) == 2
    process.kill()
    process.wait()
    process.stdout.close()
    assert wait_gone(children) == []
