"""Engine tests: the real Pulumi engine runs small programs of ours against a backend and a store of their own."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.stack import Stack
from tests.training_stack import make_training_stack


@pytest.fixture(scope="session")
def engine() -> str:
    """The `pulumi` command; engine tests are skipped, saying so, where there is none."""
    found = shutil.which("pulumi")
    if found is None:
        pytest.skip("engine tests need the pulumi command: run `make setup`")
    return found


@pytest.fixture
def training_stack(engine: str, tmp_path: Path) -> Callable[..., Stack]:
    """Makes a stack of a store and a training run; keyword arguments are inputs of the run."""

    return partial(make_training_stack, tmp_path)
