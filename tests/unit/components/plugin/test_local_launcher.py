"""The training process as the plugin sees it: results, errors, deaths, cancels and time-outs."""

import asyncio
import base64
import contextlib
import json
import os
import signal
import sys
import textwrap
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from components.plugin.launcher import Notice, RunRefused, Submission, run_training
from components.plugin.local_launcher import LocalLauncher
from sealift.provider import Cancelled, PluginError
from training.events import PhaseEvent, ResultEvent
from training.job import Job
from training.request import RunRequest

REQUEST = RunRequest(Job(), "file:///nowhere", b"hush-hush".ljust(32), ("pem",), "ab" * 32)

PRELUDE = """
import json, os, signal, sys, time
events = os.fdopen(int(sys.argv[-1]), "w", buffering=1)
request = json.loads(sys.stdin.readline())
def tell(**event): events.write(json.dumps(event) + "\\n")
"""


def run(
    body: str,
    *,
    timeout_seconds: float = 0,
    cancel_after: float | None = None,
    folder: Path | None = None,
) -> tuple[Mapping[str, Any], list[Notice]]:
    """Runs a small program in the place of training; returns its result's fields and the events before it."""
    seen: list[Notice] = []

    async def on_notice(notice: Notice) -> None:
        seen.append(notice)

    async def main() -> ResultEvent:
        cancelled = asyncio.Event()
        if cancel_after is not None:
            asyncio.get_running_loop().call_later(cancel_after, cancelled.set)
        program = PRELUDE + textwrap.dedent(body)
        return await run_training(
            LocalLauncher((sys.executable, "-c", program)), Submission(REQUEST, folder or Path.cwd()),
            timeout_seconds=timeout_seconds, cancelled=cancelled, on_notice=on_notice,
        )  # fmt: skip

    return asyncio.run(main()).fields, seen


def test_a_refused_model_is_an_error_that_names_the_run_s_report() -> None:
    named = {"artifact_id": "ab", "payload_digest": "cd"}

    with pytest.raises(RunRefused, match="too bad\nhint: lower it") as raised:
        run(f"tell(event='error', message='too bad', hint='lower it', report={named!r})")
    assert raised.value.report == named


def test_the_result_event_is_the_result_and_the_others_are_passed_on() -> None:
    result, seen = run(
        "tell(event='progress', phase='data', message='iris', memory_bytes=1)\n"
        "tell(event='result', answer=request['runId'])"
    )

    assert result == {"answer": "ab" * 32}
    assert seen == [PhaseEvent("data", "iris", 1)]


FORK = """
    import pathlib
    if os.fork() == 0:
        {escape}
        pathlib.Path({note!r}).write_text(str(os.getpid()))
        time.sleep(600)
    while not (os.path.exists({note!r}) and open({note!r}).read()): time.sleep(0.01)
"""


def is_alive(pid: int) -> bool:
    """A zombie that waits for its new parent is not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def assert_ends(pid: int) -> None:
    """The kernel takes a moment."""
    for _ in range(1000):
        if not is_alive(pid):
            return
        time.sleep(0.01)
    raise AssertionError(f"process {pid} is still there")


@pytest.mark.parametrize(
    "end", ["tell(event='result', answer=42)", "tell(event='error', message='odd', hint=''); sys.exit(1)"]
)
def test_a_process_that_the_model_s_code_leaves_behind_is_ended_and_not_waited_for(tmp_path: Path, end: str) -> None:
    note = tmp_path / "pid"
    body = textwrap.dedent(FORK.format(escape="pass", note=str(note))) + end
    with contextlib.nullcontext() if "42" in end else pytest.raises(PluginError, match="odd"):
        assert run(body)[0] == {"answer": 42}

    assert_ends(int(note.read_text()))


def test_one_that_has_left_the_process_group_holds_nobody_up(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    body = textwrap.dedent(FORK.format(escape="os.setsid()", note=str(note))) + "tell(event='result', answer=42)"
    try:
        assert run(body)[0] == {"answer": 42}
        assert is_alive(int(note.read_text()))
    finally:
        os.kill(int(note.read_text()), signal.SIGKILL)


def test_one_that_is_left_by_a_cancelled_run_is_ended(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    body = textwrap.dedent(FORK.format(escape="pass", note=str(note))) + "time.sleep(600)"
    with pytest.raises(Cancelled):
        run(body, cancel_after=2)

    assert_ends(int(note.read_text()))


def test_an_event_that_a_killed_process_has_not_written_whole_is_none() -> None:
    with pytest.raises(PluginError, match="signal 9"):
        run("""events.write('{"event": "res'); events.flush(); os.kill(os.getpid(), signal.SIGKILL)""")


def test_an_error_event_becomes_its_message_and_hint() -> None:
    with pytest.raises(PluginError, match="loss became NaN\nhint: lower learningRate"):
        run("tell(event='error', message='loss became NaN', hint='lower learningRate'); sys.exit(1)")


def test_code_that_prints_megabytes_without_a_line_break_cannot_hinder_it() -> None:
    result, _ = run("sys.stdout.write('x' * 5_000_000); sys.stdout.flush(); tell(event='result')")

    assert result == {}


@pytest.mark.parametrize("end", ["sys.exit(3)", "os._exit(0)"])
def test_a_process_that_just_ends_is_an_error_with_its_last_words(end: str) -> None:
    """Also one that says that all is well: only a result is a result."""
    with pytest.raises(PluginError, match=r"exit code [03] before it finished.*I am off"):
        run(f"print('I am off', flush=True); {end}")


def test_a_killed_process_is_an_error_that_speaks_of_memory() -> None:
    with pytest.raises(PluginError, match="signal 9") as caught:
        run("os.kill(os.getpid(), signal.SIGKILL)")

    assert "memory" in caught.value.hint


def test_a_killed_process_is_said_to_have_used_the_most_that_it_told_of() -> None:
    body = """
        for gibibytes in (1, 3, 2): tell(event="progress", phase="train", message="", memory_bytes=gibibytes * 2**30)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    with pytest.raises(PluginError, match=r"had used 3\.00 GiB of \d+\.\d\d GiB of memory"):
        run(body)


def test_cancel_asks_the_process_to_save_and_waits_for_it() -> None:
    body = """
        def save(*_): tell(event="log", level="info", message="saved"); sys.exit(130)
        signal.signal(signal.SIGTERM, save)
        time.sleep(1e6)
    """
    with pytest.raises(Cancelled, match="cancelled"):
        run(body, cancel_after=0.5)


def test_a_timeout_names_the_property_and_what_is_kept() -> None:
    with pytest.raises(Cancelled, match=r"timeoutSeconds is 0\.5") as caught:
        run("time.sleep(60)", timeout_seconds=0.5)

    assert "checkpoint" in caught.value.hint


def test_the_engine_s_secrets_are_not_in_the_process_s_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "hush")
    result, _ = run("tell(event='result', environment=dict(os.environ))")

    assert "hush" not in json.dumps(result)


def test_two_runs_have_one_order_of_sets_whatever_is_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    body = "tell(event='result', order=list({'a', 'b', 'c', 'd', 'e'}), tunables=os.environ.get('GLIBC_TUNABLES'))"
    orders = []
    for seed in ("1", "2"):
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        monkeypatch.setenv("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX2")
        result, _ = run(body)
        orders.append(result)

    assert orders[0] == orders[1]
    assert orders[0]["tunables"] is None


def test_the_request_is_not_in_the_process_s_arguments_or_environment() -> None:
    seen = "open('/proc/self/cmdline').read() + open('/proc/self/environ').read()"
    result, _ = run(f"tell(event='result', key=request['runKey'], seen={seen})")

    assert base64.b64decode(result["key"]) == REQUEST.run_key
    for secret in (result["key"], "hush-hush"):
        assert secret not in str(result["seen"])


def test_the_process_works_in_the_folder_of_the_code(tmp_path: Path) -> None:
    assert run("tell(event='result', folder=os.getcwd())", folder=tmp_path)[0] == {"folder": str(tmp_path)}
