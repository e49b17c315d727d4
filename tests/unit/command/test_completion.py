"""The scripts complete what the parser knows, in the shells themselves where they are installed."""

import shutil
import subprocess
from pathlib import Path

import pytest

from docs.parsers import options_of, subparsers
from sealift.command.parser import make_parser
from tests.unit.command.typed import succeeds

COMMANDS = dict(subparsers(make_parser()))


def script(shell: str) -> str:
    return succeeds("completion", shell).output.decode()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_has_every_command_and_option(shell: str) -> None:
    text = script(shell)

    for name, parser in COMMANDS.items():
        assert name in text
        for option in options_of(parser):
            for spelling in option.option_strings:
                in_fish = f"-l {spelling[2:]}" if spelling.startswith("--") else f"-s {spelling[1:]}"
                assert (in_fish if shell == "fish" else spelling) in text


@pytest.mark.parametrize(("shell", "check"), [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")])
def test_a_shell_reads_its_script(tmp_path: Path, shell: str, check: str) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"no {shell} on this machine")
    file = tmp_path / "script"
    file.write_text(script(shell))

    ran = subprocess.run([program, check, file], capture_output=True, text=True, check=False)

    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize(
    ("typed", "completes"),
    [
        ("sealift ver", {"verify"}),
        ("sealift keygen --algorithm RSA", {"RSA-4096"}),
        ("sealift completion ", {"bash", "zsh", "fish"}),
        ("sealift open --pay", {"--payload", "--payload-digest"}),
        ("sealift open model.", {"model.payload", "model.manifest"}),
    ],
)
def test_bash_completes(tmp_path: Path, typed: str, completes: set[str]) -> None:
    for name in ("model.payload", "model.manifest", "other"):
        (tmp_path / name).touch()
    words = typed.split(" ")
    asks = f"{script('bash')}\nCOMP_WORDS=({' '.join(map(repr, words))}); COMP_CWORD={len(words) - 1}\n_sealift\n"

    ran = subprocess.run(
        ["bash", "-c", asks + 'printf "%s\\n" "${COMPREPLY[@]}"'], cwd=tmp_path, capture_output=True, text=True,
        check=True,
    )  # fmt: skip

    assert completes <= set(ran.stdout.split())
    assert all(one.startswith(words[-1]) for one in ran.stdout.split())
