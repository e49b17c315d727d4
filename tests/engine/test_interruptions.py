"""However `pulumi up` is ended, the next one finishes with the very model that an undisturbed run gives, and leaves
no litter.
"""

import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.engine.test_training_run import artifacts
from tests.stack import Stack

MakeStack = Callable[..., Stack]
EPOCHS = 12_000  # long enough to be interrupted in the middle: some seconds
SHORT = 3_000
UP = ("up", "--yes", "--skip-preview", "--stack", "dev")
VICTIMS = ("the training process", "the plugin", "the engine")
MANY_MOMENTS = 10
"""From so many on, which take minutes, each is told."""
SECONDS = 300
"""Nothing that ends takes longer."""
GOING_ON = "continuing after epoch"
MOST_ROUNDS = 3
"""A busy machine may be late, and kill what has trained already."""
ENOUGH_LOOKS = 4
"""Different epochs that `up` has shown, a quarter of a second apart: by then there is a checkpoint."""


@pytest.fixture
def undisturbed(training_stack: MakeStack, tmp_path: Path) -> tuple[Stack, str, list[str]]:
    """A stack whose run was trained once and let go again, its content id, and the kinds of files a whole run
    leaves.
    """
    stack = training_stack(epochs=EPOCHS)
    stack.up().ok()
    content_id = str(stack.outputs()["content_id"])
    files = [name.split("/")[1] for name in artifacts(tmp_path)]
    stack.run("state", "delete", "--yes", "--stack", "dev", urn(stack, "sealift:index:TrainingRun")).ok()
    for path in (tmp_path / "store").rglob("*"):
        if path.is_file():
            path.unlink()
    return stack, content_id, files


def urn(stack: Stack, resource_type: str) -> str:
    lines = stack.run("stack", "--show-urns", "--stack", "dev").ok().text.splitlines()
    return next(line.split("URN: ")[1].strip() for line in lines if f"{resource_type}::" in line)


def wait_for(process: "subprocess.Popen[str]", words: str) -> None:
    """Reads the command's output until these words are in it."""
    assert process.stdout is not None
    for line in process.stdout:
        if words in line:
            return
    raise AssertionError(f"{words!r} was never said")


def training_processes(engine_pid: int) -> list[int]:
    """Training processes that a plugin of this very engine started."""
    return [pid for pid in processes_of("training") if parent(parent(pid)) == engine_pid]


def victims(engine_pid: int, victim: str) -> list[int]:
    """Those that are there; the engine is there as long as it is not waited for."""
    if victim == "the engine":
        return [engine_pid]
    if victim == "the plugin":
        return [pid for pid in processes_of("components.plugin") if parent(pid) == engine_pid]
    return training_processes(engine_pid)


def processes_of(module: str) -> list[int]:
    """Processes that run it."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"-m\0{module}\0".encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found


def lifetime_in(stack: Stack, victim: str) -> float:
    """Seconds for which it is there in an undisturbed `up`."""
    process = stack.start(*UP)
    first = last = 0.0
    while process.poll() is None:
        if victims(process.pid, victim):
            last = time.monotonic()
            first = first or last
        time.sleep(0.02)
    assert process.returncode == 0, process.communicate()[0]
    process.communicate()
    return last - first


def kill(process: "subprocess.Popen[str]", victim: str, wait: Callable[[], None]) -> bool:
    """Waits from its beginning on. Whether it was still there then."""
    while process.poll() is None and not victims(process.pid, victim):
        time.sleep(0.02)
    wait()
    if process.poll() is not None:
        return False
    found = victims(process.pid, victim)
    for pid in found:
        if victim == "the engine":
            os.killpg(pid, signal.SIGKILL)  # with its language host, which would hold on to its output
        else:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    return bool(found)


def until_kept(process: "subprocess.Popen[str]", store: Path) -> Callable[[], None]:
    """Waits for a checkpoint of a run that has none yet."""
    before = records(store)

    def wait() -> None:
        while process.poll() is None and records(store) <= before:
            time.sleep(0.02)

    return wait


def records(store: Path) -> set[str]:
    return {path.name for path in (store / "records").glob("*")}


def epochs_in(said: str) -> list[int]:
    """The epochs that were shown, each once, in their order."""
    return list(dict.fromkeys(int(epoch) for epoch in re.findall(rf"epoch (\d+)/{SHORT}", said)))


def kinds_of_files(home: Path) -> list[str]:
    """What is in the store, without names that are drawn."""
    return sorted(name.split("/")[1] for name in artifacts(home))


def parent(pid: int) -> int:
    """The parent's process id, 0 if it has gone; the command's name, in brackets before it, may hold anything."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def descendants(pid: int) -> dict[int, str]:
    """Commands of the processes that it started, and that these started, by their ids."""
    found: dict[int, str] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        if parent(int(folder.name)) == pid:
            with contextlib.suppress(OSError):
                found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            found |= descendants(int(folder.name))
    return found


def lives(pid: int) -> bool:
    """Not if it has ended and nobody has asked how."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def finish(stack: Stack) -> str:
    """What a user does after a crash: release the lock, then `up` again. Returns what the second `up` said."""
    stack.run("cancel", "--yes", "dev")
    return stack.up().ok().text


def test_ctrl_c_during_training_keeps_a_checkpoint_that_the_next_up_goes_on_from(
    undisturbed: tuple[Stack, str, list[str]], tmp_path: Path
) -> None:
    stack, content_id, files = undisturbed
    process = stack.start("up", "--yes", "--skip-preview", "--stack", "dev")
    wait_for(process, "epoch ")

    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=SECONDS)

    assert process.returncode != 0
    assert "Traceback" not in said
    assert "checkpoint" in said
    finish(stack)
    assert stack.outputs()["content_id"] == content_id
    assert sorted(name.split("/")[1] for name in artifacts(tmp_path)) == sorted(files)


def test_kill_9_of_the_training_process_says_so_and_the_next_up_goes_on(
    undisturbed: tuple[Stack, str, list[str]], tmp_path: Path
) -> None:
    stack, content_id, _ = undisturbed
    process = stack.start("up", "--yes", "--skip-preview", "--stack", "dev")
    wait_for(process, "epoch ")

    started = training_processes(process.pid)
    assert len(started) == 1
    os.kill(started[0], signal.SIGKILL)
    said, _ = process.communicate(timeout=SECONDS)

    assert process.returncode != 0
    assert "signal 9" in said
    finish(stack)
    assert stack.outputs()["content_id"] == content_id


def test_kill_9_of_the_engine_alone_ends_all_that_it_started(training_stack: MakeStack) -> None:
    """Language host, program, plugin and training process."""
    process = training_stack(epochs=1_000_000).start(*UP)
    wait_for(process, "epoch ")
    started = descendants(process.pid)
    assert len(started) >= 4, started

    process.kill()

    process.communicate(timeout=SECONDS)  # to the end of all that hold its output
    deadline = time.monotonic() + SECONDS
    while left := {pid: command for pid, command in started.items() if lives(pid)}:
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


@pytest.mark.parametrize("victim", VICTIMS)
def test_kill_9_at_random_moments(
    training_stack: MakeStack,
    tmp_path: Path,
    victim: str,
    request: pytest.FixtureRequest,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Each time the next `up` goes on and ends with the undisturbed model, and nothing else is in the store.

    The first moment is drawn by no chance: a checkpoint is kept, and the next `up` goes on from it.
    """
    stack = training_stack(epochs=SHORT)
    lifetime = lifetime_in(stack, victim)
    content_id = stack.outputs()["content_id"]
    stack.set_run(epochs=SHORT, retrain_trigger="undisturbed")
    finish(stack)
    files = kinds_of_files(tmp_path)  # with the list of replaced artifacts, which an update makes
    moments, wanted = random.Random(victim), request.config.getoption("moments")
    killed = went_on = rounds = 0
    while killed < wanted:
        moment = moments.uniform(0, lifetime)
        stack.set_run(epochs=SHORT, checkpoint_seconds=0.1, retrain_trigger=f"{rounds} {moment}")
        process = stack.start(*UP)
        wait = partial(time.sleep, moment) if went_on else until_kept(process, tmp_path / "store")
        hit = kill(process, victim, wait)
        said, _ = process.communicate(timeout=SECONDS)
        killed += hit
        text = finish(stack)
        when = f"{moment:.2f} s after it began" if went_on else "once a checkpoint was kept"
        where = f"{victim} killed {when}: {said}\n\nthe next up: {text}"
        assert stack.outputs()["content_id"] == content_id, where
        assert kinds_of_files(tmp_path) == files, where
        rounds += 1
        if hit and (not went_on or len(epochs_in(said)) >= ENOUGH_LOOKS):
            assert epochs_in(text)[:1] != [1], where
            went_on += GOING_ON in text
        assert went_on or rounds < MOST_ROUNDS, f"the checkpoint was no help: {where}"
        if hit and wanted >= MANY_MOMENTS:
            with capfd.disabled():
                print(f"{victim}: killed {killed} of {wanted} times", file=sys.stderr, flush=True)
    print(f"{victim}: killed {killed} times in {lifetime:.1f} s, {went_on} times well inside training")


def test_a_timeout_fails_with_the_way_out_and_keeps_the_checkpoint(training_stack: MakeStack) -> None:
    stack = training_stack(epochs=1_000_000, timeout_seconds=8)

    said = stack.up().failed().text

    assert "timeoutSeconds is 8" in said
    assert "checkpoint" in said
