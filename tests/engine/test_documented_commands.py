"""Every `pulumi` command of the documents is one that the Pulumi CLI has, with its options."""

import re
import subprocess
from functools import cache

import pytest

from tests.documented import commands


@cache
def help_of(*words: str) -> str:
    """What the CLI says of a command; of one that it has not, it speaks of the command around it."""
    ran = subprocess.run(["pulumi", *words, "--help"], capture_output=True, text=True, timeout=60)
    return ran.stdout if ran.returncode == 0 else ""


def is_command(words: tuple[str, ...]) -> bool:
    """Whether the help is of this very command, by its name or an alias."""
    usage = re.search(r"^Usage:\n\s+pulumi((?: [a-z-]+)*)", help_of(*words), re.MULTILINE)
    aliases = re.search(r"^Aliases:\n\s+(.*)$", help_of(*words), re.MULTILINE)
    if usage is None or len(usage[1].split()) != len(words):
        return False
    return words[-1] in {usage[1].split()[-1], *(re.findall(r"[a-z-]+", aliases[1]) if aliases else ())}


@pytest.mark.parametrize("command", [one for one in commands("pulumi") if one != "pulumi"])
def test_the_cli_has_the_command_and_its_options(engine: str, command: str) -> None:
    words = re.sub(r"^pulumi -C \S+", "pulumi", command.partition(" -- ")[0]).split()[1:]
    chain: tuple[str, ...] = ()
    for word in words:
        if not re.fullmatch(r"[a-z-]+", word) or not is_command((*chain, word)):
            break
        chain = (*chain, word)

    assert chain, f"the CLI has no command {words[:1]}"
    options = [word.partition("=")[0] for word in words if word.startswith("--")]
    assert [one for one in options if not re.search(rf"(?<![\w-]){one}(?![\w-])", help_of(*chain))] == []
