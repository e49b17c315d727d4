"""Cluster tests: the project's own program on the real engine, Docker, registry and Kubernetes of the environment."""

import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.cluster import Cluster
from tests.stack import PROJECT_ROOT, Stack


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The environment's Docker, registry and cluster; what is missing is named and the tests are skipped."""
    missing = []
    if shutil.which("pulumi") is None:
        missing.append("the pulumi command")
    if shutil.which("docker") is None or subprocess.run(["docker", "info"], capture_output=True).returncode != 0:
        missing.append("a Docker engine that answers")
    needed = ("SEALIFT_REGISTRY", "SEALIFT_BASE_IMAGE", "SEALIFT_WHEELS")
    missing += [f"the environment variable {name}" for name in needed if name not in os.environ]
    found = Cluster.from_environment()
    if found is None:
        missing.append("a Kubernetes cluster that answers")
    if missing or found is None:
        pytest.skip(f"cluster tests need {', '.join(missing)}: run `make setup` as root on Debian, or bring your own")
    return found


def checkout(folder: Path) -> Path:
    """A copy of the project as a clone of it would be: what git tracks or would track, nothing else."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT_ROOT, capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        source, target = PROJECT_ROOT / name, folder / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    for stack in folder.glob("Pulumi.*.yaml"):  # the salt is of the passphrase of whoever works in this checkout
        lines = stack.read_text().splitlines(keepends=True)
        stack.write_text("".join(line for line in lines if not line.startswith("encryptionsalt:")))
    return folder


def made_stack(home: Path, folder: Path, name: str) -> Stack:
    """A stack of the project's program, with its settings in the checkout and a store of its own."""
    stack = Stack(folder, name=name, home=home)
    stack.init()
    stack.set_config("store.url", f"file://{home / 'store'}")
    return stack


def new_stack(home: Path, folder: Path, **training: object) -> Stack:
    """A dev stack with small pods and a node port of its own; `training` by name."""
    stack = made_stack(home, folder, "dev")
    stack.set_config("deployment.nodePort", free_node_port())
    for name, value in training.items():
        stack.set_config(f"training.{name}", value)
    return stack


def free_node_port() -> int:
    """A port of the node-port range that this run's stacks have to themselves."""
    return 30100 + uuid.uuid4().int % 2600


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stack")


@pytest.fixture(scope="module")
def deployed(cluster: Cluster, home: Path) -> Iterator[Stack]:
    """The dev stack, up; destroyed when the module's tests are done."""
    stack = new_stack(home, checkout(home / "checkout"))
    stack.up().ok()
    yield stack
    stack.destroy().ok()
