"""The plugin as a process: how the engine starts it, and when it ends."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[3]
PLUGIN: Final = [sys.executable, "-m", "airgap.plugins.kubernetes"]
ENGINE: Final = f"""
import subprocess, sys, time
plugin = subprocess.Popen({PLUGIN!r} + ["127.0.0.1:1"], stdout=subprocess.PIPE, text=True)
print(plugin.pid, plugin.stdout.readline().strip(), flush=True)
time.sleep(60)
"""


def is_running(pid: int) -> bool:
    """Whether it still does anything: nobody here can reap it, so a zombie counts as ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_it_tells_its_port_and_ends_when_the_engine_is_gone_without_a_word() -> None:
    engine = subprocess.Popen([sys.executable, "-c", ENGINE], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert engine.stdout is not None
    pid = 0
    try:
        pid, port = map(int, engine.stdout.readline().split())
        assert port > 0
        assert is_running(pid)

        engine.kill()
        until = time.monotonic() + 60
        while is_running(pid) and time.monotonic() < until:
            time.sleep(0.05)

        assert not is_running(pid)
    finally:
        engine.kill()
        engine.wait()
        engine.stdout.close()
        if pid and is_running(pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def test_who_starts_it_by_hand_is_told_what_to_do() -> None:
    told = subprocess.run(PLUGIN, cwd=ROOT, capture_output=True, text=True)

    assert told.returncode == 2
    assert told.stderr.startswith("usage: pulumi-resource-kubernetes ENGINE_ADDRESS\n")
    assert "run `pulumi up` instead" in told.stderr
