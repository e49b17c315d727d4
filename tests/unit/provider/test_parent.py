"""A process sees that the one that started it is gone, whenever that one went."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from sealift.provider import Parent

PROJECT_ROOT: Final = Path(__file__).resolve().parents[3]
LATE: Final = """
import sys, time
from sealift.provider import Parent
sys.stdout.write("started\\n")
sys.stdout.flush()
time.sleep(0.2)
parent = Parent.now()
while not parent.is_gone():
    time.sleep(0.05)
"""
MIDDLE: Final = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdin=subprocess.PIPE)
child.wait()
"""


def test_a_parent_that_is_there_is_not_gone() -> None:
    reading, writing = os.pipe()
    parent = Parent(os.getppid(), reading)
    os.write(writing, b"for somebody else")

    assert not parent.is_gone()

    os.close(writing)
    assert parent.is_gone()
    assert os.read(reading, 100) == b"for somebody else"
    os.close(reading)


def test_another_process_is_gone() -> None:
    assert Parent(os.getpid()).is_gone()


def test_a_child_that_looks_for_the_first_time_when_its_parent_is_gone_sees_it() -> None:
    with subprocess.Popen([sys.executable, "-c", MIDDLE, LATE], stdout=subprocess.PIPE, cwd=PROJECT_ROOT) as middle:
        assert middle.stdout is not None
        middle.stdout.readline()
        middle.kill()
        assert middle.stdout.read() == b"", "at the end of all that hold it"
