"""Runs other programs: short queries without output, or long work with a log, progress and a time limit."""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bootstrap.console import Progress
from bootstrap.errors import BootstrapError, ProgramFailed

TAIL_LINES = 15


def ask(
    argv: Sequence[str],
    *,
    timeout_seconds: float = 10.0,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str = "",
) -> str | None:
    """Returns the program's stdout, stripped, or None if it is not installed, fails or takes too long."""
    try:
        done = _capture(argv, timeout_seconds, env, cwd, stdin)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def demand(
    argv: Sequence[str], *, timeout_seconds: float = 10.0, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> str:
    """Like `ask`, but raises BootstrapError with the program's own reason instead of returning None."""
    name = " ".join([Path(argv[0]).name, *argv[1:]])
    try:
        done = _capture(argv, timeout_seconds, env, cwd)
    except OSError as problem:
        raise BootstrapError(f"`{name}` could not be started: {problem.strerror}") from problem
    except subprocess.TimeoutExpired:
        raise BootstrapError(f"`{name}` took longer than {timeout_seconds:.0f} s") from None
    if done.returncode:
        said = "\n".join(done.stderr.strip().splitlines()[-TAIL_LINES:])
        raise BootstrapError(f"`{name}` failed: {said or f'exit status {done.returncode}'}")
    return done.stdout.strip()


def _capture(
    argv: Sequence[str], timeout_seconds: float, env: Mapping[str, str] | None, cwd: Path | None, stdin: str = ""
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        argv,
        input=stdin,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout_seconds,
        env=env,
        cwd=cwd,
        check=False,
    )


def run(
    argv: Sequence[str],
    *,
    log: Path,
    progress: Progress,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout_seconds: float | None = None,
) -> None:
    """Runs the program to its end. Both of its streams go to `log`, the newest line to `progress`.

    Raises ProgramFailed if it is not installed, ends with an error or takes longer than `timeout_seconds`. No child is
    left running, even after Ctrl-C.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as copy:
        copy.write(f"$ {' '.join(argv)}\n".encode())
        try:
            child = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env, cwd=cwd
            )
        except OSError as problem:
            raise ProgramFailed(argv, f"could not be started ({problem.strerror})", "", log) from problem
        in_time = False
        try:
            in_time = _follow(child, copy.write, progress, timeout_seconds)
        finally:
            _end(child, by_itself=in_time)
    if not in_time:
        raise ProgramFailed(argv, f"took longer than {timeout_seconds:.0f} s", _tail(log), log)
    if child.returncode:
        raise ProgramFailed(argv, f"ended with exit status {child.returncode}", _tail(log), log)


def _follow(
    child: "subprocess.Popen[bytes]",
    write: Callable[[bytes], object],
    progress: Progress,
    timeout_seconds: float | None,
) -> bool:
    """Copies the child's output until the child closes it. Returns False if the time is over first."""
    if child.stdout is None:
        raise RuntimeError("internal error: the child was started without a pipe")
    deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
    newest = b""
    with selectors.DefaultSelector() as ready, child.stdout:
        ready.register(child.stdout, selectors.EVENT_READ)
        while True:
            if ready.select(timeout=0.5):
                chunk = os.read(child.stdout.fileno(), 65536)
                if not chunk:
                    return True
                write(chunk)
                newest = (newest + chunk)[-2000:]
            progress(newest.decode(errors="replace").replace("\r", "\n"))
            if deadline is not None and time.monotonic() > deadline:
                return False


def _end(child: "subprocess.Popen[bytes]", *, by_itself: bool) -> None:
    """Waits for a child. One that has not closed its output (time limit, Ctrl-C) gets SIGTERM, then SIGKILL."""
    for signal_number, grace_seconds in ((None, 2.0), (signal.SIGTERM, 10.0), (signal.SIGKILL, 10.0)):
        if signal_number is not None:
            child.send_signal(signal_number)
        elif not by_itself:
            continue
        try:
            child.wait(timeout=grace_seconds)
        except subprocess.TimeoutExpired:
            continue
        return


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[1:][-TAIL_LINES:])
