"""The existing stacks, and which of them have resources. An unreadable state is an error: treating it as empty would
leave objects behind.
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
"""Line in a stack's file that `pulumi config set target docker` writes."""


AUTOSCALING = re.compile(r"""^    ["']?autoscaling["']?:""", re.MULTILINE)
"""Line in a stack's file that `pulumi config set --path deployment.autoscaling.…` writes."""


def make(word: str, stack: str) -> str:
    """Returns the user's command for this stack."""
    return f"make {word}" if stack == DEFAULT else f"make {word} STACK={stack}"


def short(stack: str) -> str:
    """Returns the name without organization and project."""
    return stack.rpartition("/")[2]


def file_of(context: Context, stack: str) -> Path:
    """Returns the path of the stack's config."""
    return context.layout.root / f"Pulumi.{short(stack)}.yaml"


def demand(context: Context, stack: str) -> None:
    """Raises BootstrapError for a stack that has neither a file nor a state, so that a typo does not create a stack."""
    if file_of(context, stack).exists() or exists(context, stack):
        return
    there = sorted(path.name.split(".")[1] for path in context.layout.root.glob("Pulumi.*.yaml"))
    close = get_close_matches(short(stack), there, n=1)
    meant = f"did you mean '{close[0]}'?" if close else f"stacks with a file: {', '.join(there) or 'none'}"
    raise BootstrapError(
        f"stack {stack!r} does not exist: it has neither a file {file_of(context, stack).name} nor a state; {meant}",
        [f"to start a stack with the values of {DEFAULT}: cp Pulumi.{DEFAULT}.yaml {file_of(context, stack).name}"],
    )


def ask(context: Context, *arguments: str) -> str | None:
    """Returns pulumi's output, stripped, or None if it is not installed, fails or takes too long."""
    return programs.ask(["pulumi", *arguments], env=context.variables, cwd=context.layout.root, timeout_seconds=60)


def exists(context: Context, stack: str) -> bool:
    """Whether the stack has a state, according to pulumi. False if pulumi is not installed."""
    if shutil.which("pulumi", path=context.variables["PATH"]) is None:
        return False
    listed = ask(context, "stack", "ls", "--json")
    try:
        return any(same(str(one["name"]), stack) for one in json.loads(listed or "[]"))
    except (ValueError, KeyError, TypeError):
        return False


def find_selected(context: Context) -> str | None:
    """Returns the selected stack, which pulumi's own commands use, or None."""
    return ask(context, "stack", "--show-name") or None


def needs_cluster(context: Context, stack: str) -> bool:
    """Whether the stack is served on Kubernetes. Reads only its file, because pulumi may not be installed yet."""
    file = file_of(context, stack)
    return not file.exists() or DOCKER.search(file.read_text()) is None


def needs_metrics(context: Context, stack: str) -> bool:
    """Whether the cluster scales the stack's pods by their load."""
    file = file_of(context, stack)
    return file.exists() and AUTOSCALING.search(file.read_text()) is not None


def in_use(context: Context) -> list[str]:
    """Returns the names of all stacks with resources: of any project in our own folder, of this project in the user's
    backend.

    Raises BootstrapError with pulumi's own reason if the state cannot be read.
    """
    env, layout = context.variables, context.layout
    own = env["PULUMI_BACKEND_URL"] == layout.stack_state.as_uri()
    if own and not any(layout.stack_state.glob(".pulumi/stacks/**/*.json")):
        return []
    pulumi = shutil.which("pulumi", path=env["PATH"])
    if pulumi is None:
        if not layout.environment.exists():
            return []  # set-up has never run here
        raise BootstrapError(
            "the stacks' state cannot be read, because pulumi was not found; nothing was stopped",
            ["run make setup, which installs pulumi again"],
        )
    listed = programs.demand(
        [pulumi, "stack", "ls", "--json", *(["--all"] if own else [])], env=env, cwd=layout.root, timeout_seconds=60
    )
    try:
        return [str(one["name"]) for one in json.loads(listed) if _has_resources(one)]
    except (ValueError, KeyError, TypeError):
        raise BootstrapError(f"`pulumi stack ls` printed no valid list: {listed[:300]}; nothing was stopped") from None


def _has_resources(listed: dict[str, object]) -> bool:
    """Whether a stack has resources. A service may leave out the number; then every updated stack counts."""
    return bool(listed.get("resourceCount", listed.get("lastUpdate")))


def same(name: str, stack: str) -> bool:
    """Whether the listed `name` is the user's `stack`, which may include organization and project."""
    return name in (stack, short(stack))
