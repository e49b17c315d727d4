"""However `pulumi up` is ended, the next one finishes with the very model that an undisturbed run gives, and leaves
no litter.
"""

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.test_training_run import artifacts
from tests.stack import Stack

MakeStack = Callable[..., Stack]
EPOCHS = 1500  # long enough to be interrupted in the middle


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


def end_whole_session(process: "subprocess.Popen[str]") -> None:
    """kill -9 to the engine and the language host; the plugins must notice by themselves."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def training_processes(engine_pid: int) -> list[int]:
    """Training processes that a plugin of this very engine started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            is_training = b"-m\0training\0" in (folder / "cmdline").read_bytes()
            if is_training and parent(parent(int(folder.name))) == engine_pid:
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def parent(pid: int) -> int:
    """The parent's process id; the command's name, in brackets before it, may hold anything."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


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
    said, _ = process.communicate(timeout=30)

    assert process.returncode != 0
    assert "Traceback" not in said
    assert "checkpoint" in said
    finish(stack)
    assert stack.outputs()["content_id"] == content_id
    assert sorted(name.split("/")[1] for name in artifacts(tmp_path)) == sorted(files)


def test_kill_9_of_the_engine_during_training(undisturbed: tuple[Stack, str, list[str]], tmp_path: Path) -> None:
    stack, content_id, files = undisturbed
    process = stack.start("up", "--yes", "--skip-preview", "--stack", "dev")
    wait_for(process, "epoch ")

    end_whole_session(process)

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
    said, _ = process.communicate(timeout=60)

    assert process.returncode != 0
    assert "signal 9" in said
    finish(stack)
    assert stack.outputs()["content_id"] == content_id


def test_kill_9_at_random_moments_from_start_to_sealed(
    undisturbed: tuple[Stack, str, list[str]], tmp_path: Path
) -> None:
    stack, content_id, files = undisturbed
    moments = random.Random(3)
    for _ in range(5):
        process = stack.start("up", "--yes", "--skip-preview", "--stack", "dev")
        time.sleep(moments.uniform(1, 7))
        end_whole_session(process)
        stack.run("cancel", "--yes", "dev")

    finish(stack)

    assert stack.outputs()["content_id"] == content_id
    assert sorted(name.split("/")[1] for name in artifacts(tmp_path)) == sorted(files)


def test_a_timeout_fails_with_the_way_out_and_keeps_the_checkpoint(training_stack: MakeStack) -> None:
    stack = training_stack(epochs=1_000_000, timeout_seconds=8)

    said = stack.up().failed().text

    assert "timeoutSeconds is 8" in said
    assert "checkpoint" in said
