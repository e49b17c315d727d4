"""Which stacks there are, and which of them have resources. A state that cannot be read is an error: calling it empty
would leave objects behind.
"""

import json
import re
import shutil
from difflib import get_close_matches
from pathlib import Path

from bootstrap.context import Context
from bootstrap.errors import BootstrapError
from bootstrap.system import programs

DEFAULT = "dev"
DOCKER = re.compile(r"""^  sealift:target: *["']?docker["']? *$""", re.MULTILINE)
"""In a stack's file, as `pulumi config set target docker` writes it."""


def make(word: str, stack: str) -> str:
    """The command as the user types it for this stack."""
    return f"make {word}" if stack == DEFAULT else f"make {word} STACK={stack}"


def short(stack: str) -> str:
    """The name without organization and project."""
    return stack.rpartition("/")[2]


def _file(context: Context, stack: str) -> Path:
    return context.layout.root / f"Pulumi.{short(stack)}.yaml"


def demand(context: Context, stack: str) -> None:
    """Raises BootstrapError for a stack that has neither a file nor a state, so that a slip of the pen makes none."""
    if _file(context, stack).exists() or exists(context, stack):
        return
    there = sorted(path.name.split(".")[1] for path in context.layout.root.glob("Pulumi.*.yaml"))
    close = get_close_matches(short(stack), there, n=1)
    meant = f"did you mean '{close[0]}'?" if close else f"stacks with a file: {', '.join(there) or 'none'}"
    raise BootstrapError(
        f"there is no stack {stack!r}: neither a file {_file(context, stack).name} nor a state; {meant}",
        [f"cp Pulumi.{DEFAULT}.yaml {_file(context, stack).name}: begins a stack with the values of {DEFAULT}"],
    )


def ask(context: Context, *arguments: str) -> str | None:
    """What pulumi says, stripped; None if it is absent, fails or takes too long."""
    return programs.ask(["pulumi", *arguments], env=context.variables, cwd=context.layout.root, timeout_seconds=60)


def exists(context: Context, stack: str) -> bool:
    """Whether the stack has a state, as pulumi says; without a pulumi, none has."""
    if shutil.which("pulumi", path=context.variables["PATH"]) is None:
        return False
    listed = ask(context, "stack", "ls", "--json")
    try:
        return any(same(str(one["name"]), stack) for one in json.loads(listed or "[]"))
    except (ValueError, KeyError, TypeError):
        return False


def find_selected(context: Context) -> str | None:
    """The stack that pulumi's own commands mean."""
    return ask(context, "stack", "--show-name") or None


def needs_cluster(context: Context, stack: str) -> bool:
    """Whether it is served on Kubernetes: by its file alone, since pulumi may not be here yet."""
    file = _file(context, stack)
    return not file.exists() or DOCKER.search(file.read_text()) is None


def in_use(context: Context) -> list[str]:
    """Names of all stacks with resources: in our own folder of any project, in the user's backend of this project.

    Raises BootstrapError with pulumi's own reason where that cannot be told.
    """
    env, layout = context.variables, context.layout
    own = env["PULUMI_BACKEND_URL"] == layout.stack_state.as_uri()
    if own and not any(layout.stack_state.glob(".pulumi/stacks/**/*.json")):
        return []
    pulumi = shutil.which("pulumi", path=env["PATH"])
    if pulumi is None:
        if not layout.environment.exists():
            return []  # set-up has never been here
        raise BootstrapError(
            "the stacks' state cannot be read: pulumi is not found; nothing was stopped",
            ["make setup: brings pulumi back"],
        )
    listed = programs.demand(
        [pulumi, "stack", "ls", "--json", *(["--all"] if own else [])], env=env, cwd=layout.root, timeout_seconds=60
    )
    try:
        return [str(one["name"]) for one in json.loads(listed) if _has_resources(one)]
    except (ValueError, KeyError, TypeError):
        raise BootstrapError(f"`pulumi stack ls` cannot be understood: {listed[:300]}; nothing was stopped") from None


def _has_resources(listed: dict[str, object]) -> bool:
    """A service may leave the number out: then every stack counts that was ever updated."""
    return bool(listed.get("resourceCount", listed.get("lastUpdate")))


def same(name: str, stack: str) -> bool:
    """Whether `name`, as listed, is the stack that the user calls `stack`, perhaps with organization and project."""
    return name in (stack, short(stack))
