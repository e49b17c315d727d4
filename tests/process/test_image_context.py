"""The build context among several processes: always whole, and there for as long as the one that asked for it lives."""

import subprocess
import sys
from pathlib import Path

import pytest

from components.image_context import materialise
from tests.packages import packages_in

PROJECT_ROOT = Path(__file__).resolve().parents[2]
LABELS = {"dev.sealift.artifact-id": "ab" * 16}


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    return packages_in(tmp_path / "wheels")


def write(contexts: Path, wheels: Path, payload: bytes = b"sealed") -> Path:
    return materialise(
        contexts, write_payload=lambda file: file.write(payload), base_image="base:1", wheels=wheels, labels=LABELS
    )


def files(context: Path) -> set[str]:
    return {str(path.relative_to(context)) for path in context.rglob("*") if path.is_file()}


PRELUDE = """
import os, sys, time
from pathlib import Path
from components.image_context import context_digest, materialise
def write(payload):
    contexts, wheels = map(Path, sys.argv[1:3])
    return materialise(
        contexts, write_payload=lambda file: file.write(payload), base_image="base:1", wheels=wheels, labels={}
    )
"""
HOLDER = (
    PRELUDE
    + """
print(write(b"theirs"), flush=True)
time.sleep(60)
"""
)
BUILDER = (
    PRELUDE
    + """
for turn in range(40):
    child = os.fork()
    if not child:
        context = write(b"%d" % (turn % 3))
        for _ in range(3):
            assert context_digest(context).startswith(context.name)
            time.sleep(0.001)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit(1)
"""
)


def test_a_context_stays_while_its_process_lives_and_goes_with_the_next_write_after_it(
    tmp_path: Path, wheels: Path
) -> None:
    contexts = tmp_path / "contexts"
    (contexts / ".draft").mkdir(parents=True)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, contexts, wheels], cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        theirs = Path(holder.stdout.readline().strip())
        ours = write(contexts, wheels, b"ours")
        assert files(theirs) == files(ours)
        holder.kill()

    write(contexts, wheels, b"ours")

    assert sorted(path.name for path in contexts.iterdir()) == [".lock", ours.name]


def test_processes_that_write_and_read_at_once_never_miss_a_file(tmp_path: Path, wheels: Path) -> None:
    contexts = tmp_path / "contexts"
    builders = [
        subprocess.Popen([sys.executable, "-c", BUILDER, contexts, wheels],
                         cwd=PROJECT_ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(3)
    ]  # fmt: skip

    assert [builder.communicate()[0] for builder in builders] == ["", "", ""]
    assert [builder.returncode for builder in builders] == [0, 0, 0]
