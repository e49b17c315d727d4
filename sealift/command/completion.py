"""`sealift completion`: a script that completes commands and options in a shell, made from the parser itself."""

import argparse
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sealift.command.subcommand import DONE, Subcommand
from sealift.command.terminal import Terminal


@dataclass(frozen=True)
class _Option:
    """An option of a command."""

    names: tuple[str, ...]
    help: str
    takes_value: bool
    choices: tuple[str, ...]


@dataclass(frozen=True)
class _Completed:
    """What a command completes to."""

    name: str
    help: str
    options: tuple[_Option, ...]
    words: tuple[str, ...]
    """Values of its argument; otherwise the argument is a file."""

    @property
    def spellings(self) -> list[str]:
        return [name for option in self.options for name in option.names]


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=tuple(_SCRIPTS), help="shell that the script is for, by its name")


def _run(options: argparse.Namespace, terminal: Terminal) -> int:
    script = "\n".join(_SCRIPTS[options.shell](_commands()))
    terminal.say({"shell": options.shell, "script": script}, script)
    return DONE


def _commands() -> list[_Completed]:
    from sealift.command.parser import make_parser  # the parser lists this command too

    actions = make_parser()._actions  # noqa: SLF001 - argparse has no public way
    (commands,) = (one for one in actions if isinstance(one, argparse._SubParsersAction))  # noqa: SLF001
    helps = {one.dest: one.help or "" for one in commands._choices_actions}  # noqa: SLF001
    return [_completed(name, helps[name], parser) for name, parser in commands.choices.items()]


def _completed(name: str, text: str, parser: argparse.ArgumentParser) -> _Completed:
    actions = parser._actions  # noqa: SLF001 - argparse has no public way
    options = tuple(
        _Option(
            tuple(one.option_strings),
            (one.help or "") % {**vars(one), "prog": parser.prog},
            one.nargs != 0,
            tuple(map(str, one.choices or ())),
        )
        for one in actions
        if one.option_strings
    )
    words = tuple(str(word) for one in actions if not one.option_strings for word in one.choices or ())
    return _Completed(name, text, options, words)


def _bash(commands: list[_Completed]) -> Iterator[str]:
    yield "# bash completion of sealift"
    yield "_sealift() {"
    yield '    local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" options="" words=""'
    yield '    if [ "$COMP_CWORD" -eq 1 ]; then'
    names = " ".join([*(one.name for one in commands), "--help", "--version"])
    yield f'        COMPREPLY=($(compgen -W "{names}" -- "$word"))'
    yield "        return"
    yield "    fi"
    yield '    case "${COMP_WORDS[1]} $before" in'
    for one in commands:
        for option in one.options:
            if option.choices:
                cases = "|".join(f'"{one.name} {name}"' for name in option.names)
                choices = " ".join(option.choices)
                yield f'        {cases}) COMPREPLY=($(compgen -W "{choices}" -- "$word")); return ;;'
    yield "    esac"
    yield '    case "${COMP_WORDS[1]}" in'
    for one in commands:
        yield f'        {one.name}) options="{" ".join(one.spellings)}" words="{" ".join(one.words)}" ;;'
    yield "    esac"
    yield '    case "$word" in'
    yield '        -*) COMPREPLY=($(compgen -W "$options" -- "$word")) ;;'
    yield '        *) if [ -n "$words" ]; then COMPREPLY=($(compgen -W "$words" -- "$word"))'
    yield '           else COMPREPLY=($(compgen -f -- "$word")); fi ;;'
    yield "    esac"
    yield "}"
    yield "complete -o filenames -F _sealift sealift"


def _zsh(commands: list[_Completed]) -> Iterator[str]:
    yield "#compdef sealift"
    yield "_sealift() {"
    yield "  local -a commands"
    described = " ".join(shlex.quote(f"{one.name}:{one.help}") for one in commands)
    yield f"  commands=({described})"
    yield "  if (( CURRENT == 2 )); then"
    yield "    _describe command commands"
    yield "    return"
    yield "  fi"
    yield "  shift words"
    yield "  (( CURRENT-- ))"
    yield "  case $words[1] in"
    for one in commands:
        specs = [_zsh_spec(name, option) for option in one.options for name in option.names]
        rest = f"*:value:({' '.join(one.words)})" if one.words else "*:file:_files"
        yield f"    {one.name}) _arguments {' '.join(map(shlex.quote, [*specs, rest]))} ;;"
    yield "  esac"
    yield "}"
    yield 'if [ "$funcstack[1]" = "_sealift" ]; then _sealift "$@"; else compdef _sealift sealift; fi'


def _zsh_spec(name: str, option: _Option) -> str:
    text = option.help.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")
    value = f"({' '.join(option.choices)})" if option.choices else "_files"
    return f"*{name}[{text}]" + (f":value:{value}" if option.takes_value else "")


def _fish(commands: list[_Completed]) -> Iterator[str]:
    yield "# fish completion of sealift"
    for one in commands:
        yield f"complete -c sealift -n __fish_use_subcommand -f -a {one.name} -d {_fish_text(one.help)}"
    for one in commands:
        seen = f"-n '__fish_seen_subcommand_from {one.name}'"
        for option in one.options:
            names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names)
            value = f" -x -a '{' '.join(option.choices)}'" if option.choices else " -r" if option.takes_value else ""
            yield f"complete -c sealift {seen} {names}{value} -d {_fish_text(option.help)}"
        if one.words:
            yield f"complete -c sealift {seen} -f -a '{' '.join(one.words)}'"


def _fish_text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


_SCRIPTS: Final[Mapping[str, Callable[[list[_Completed]], Iterator[str]]]] = {
    "bash": _bash,
    "zsh": _zsh,
    "fish": _fish,
}

COMMAND: Final = Subcommand(
    "completion",
    "print a script that completes this command in a shell",
    "Prints a script for bash, zsh or fish. The shell then completes the commands, their options, the values of "
    "options that have a fixed list, and files.",
    "source <(sealift completion bash)\n"
    "sealift completion zsh > ~/.zfunc/_sealift\n"
    "sealift completion fish > ~/.config/fish/completions/sealift.fish",
    _add_options,
    _run,
)
