"""The salt of one user's passphrase stays out of what git tracks, and with it the message "incorrect passphrase"."""

import shutil
import subprocess
from pathlib import Path

import pytest

from bootstrap.console import Step
from bootstrap.context import Context
from bootstrap.layout import Layout
from bootstrap.steps import stack_state
from tests.stack import PROJECT_ROOT

SALT = "encryptionsalt: v1:c2FsdA==:v1:bm9uY2U=:dGFn\n"
STACK = 'config:\n  sealift:replicas: "2"  # as few as roll\n'
SECURE = STACK + "  sealift:token:\n    secure: v1:abc\n"


@pytest.fixture
def checkout(context: Context, step: Step, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A clone with one stack's file committed, set up."""
    if shutil.which("git") is None:
        pytest.skip("this needs git")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    root = context.layout.root
    root.mkdir()
    git(root, "init", "-q")
    shutil.copy(PROJECT_ROOT / ".gitattributes", root)
    (root / "Pulumi.dev.yaml").write_text(STACK)
    (root / ".gitignore").write_text(".sealift/\n.tools/\n")
    git(root, "add", ".")
    git(root, "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", "a stack")
    stack_state.ensure(context, step)
    return root


def git(root: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, text=True).stdout


def test_a_salt_does_not_show_as_a_change_and_is_not_committed(checkout: Path) -> None:
    (checkout / "Pulumi.dev.yaml").write_text(SALT + STACK)
    stack_state.hide_salt(Layout(checkout), "dev")

    assert git(checkout, "status", "--porcelain") == ""
    git(checkout, "add", ".")
    assert git(checkout, "show", ":Pulumi.dev.yaml") == STACK
    assert (checkout / "Pulumi.dev.yaml").read_text() == SALT + STACK, "pulumi still finds it"


def test_another_value_shows_as_a_change_without_the_salt(checkout: Path) -> None:
    (checkout / "Pulumi.dev.yaml").write_text(SALT + STACK.replace("2", "3"))
    stack_state.hide_salt(Layout(checkout), "dev")

    assert git(checkout, "status", "--porcelain") == " M Pulumi.dev.yaml\n"
    assert "encryptionsalt" not in git(checkout, "diff")


def test_a_salt_stays_with_the_values_that_it_encrypts(checkout: Path) -> None:
    (checkout / "Pulumi.dev.yaml").write_text(SALT + SECURE)

    git(checkout, "add", ".")
    assert git(checkout, "show", ":Pulumi.dev.yaml") == SALT + SECURE
