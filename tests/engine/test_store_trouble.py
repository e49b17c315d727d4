"""A store that cannot be written fails `up` with the place and the reason; once it can, the next `up` finishes."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.stack import Stack

MakeStack = Callable[..., Stack]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own; tests remount it smaller, or read-only."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"a file system of its own needs root: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def stack_on(disk: Path, training_stack: MakeStack) -> Stack:
    stack = training_stack(epochs=2)
    stack.set_config("storeUrl", f"file://{disk / 'store'}")
    return stack


def test_a_full_disk(training_stack: MakeStack, disk: Path) -> None:
    stack = stack_on(disk, training_stack)
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(bytes(4096))

    said = stack.up().failed().text
    assert "No space left on device" in said
    assert str(disk / "store") in said

    filler.unlink()
    stack.up().ok()
    stack.refresh().ok()


def test_a_read_only_store(training_stack: MakeStack, disk: Path) -> None:
    stack = stack_on(disk, training_stack)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)

    said = stack.up().failed().text
    assert "Read-only file system" in said

    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    stack.up().ok()
