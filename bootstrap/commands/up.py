"""`up`: `pulumi up` of one stack with its own display, then a real prediction from what it deployed."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from bootstrap import content
from bootstrap.commands import prediction, stacks, stale_lock
from bootstrap.context import Context
from bootstrap.environment import PASSPHRASES
from bootstrap.errors import BootstrapError
from bootstrap.steps import stack_state
from bootstrap.system import programs

SAME = 1e-4
"""Of the largest expected value: what may lie between ONNX Runtime's and torch's answers in FP32."""
NEXT = """
try next (after `source .tools/activate`):
  {ask}
  pulumi stack output{stack}
  pulumi config set --path {change}{stack} && pulumi preview{stack}
  {down}"""


def run(context: Context, stack: str) -> int:
    """0 when the service has answered. Raises BootstrapError where pulumi or the service does not do its part."""
    if not stacks.exists(context, stack):
        _pulumi(context, stack, "stack", "init", "--no-select", stack)
    selected = stacks.find_selected(context)
    if selected is None:
        _pulumi(context, stack, "stack", "select", stack)
        context.console.note(f"pulumi's own commands now mean stack {stack}; `pulumi stack select` means another")
    stack_state.hide_salt(context.layout, stack)
    stale_lock.release(context, stack)
    _pulumi(context, stack, "up", "--yes", "--stack", stack)
    said = stacks.ask(context, "stack", "output", "--json", "--show-secrets", "--stack", stack)
    service = prediction.parse(said or "")
    with context.console.step("Prediction") as step:
        step.progress("waiting until the service is ready")
        answer = prediction.ask(context, service, step.progress, stack)
        step.done(f"{service.model} at {answer.via}")
    folder = context.layout.stack_state.parent / "requests" / stacks.short(stack)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    request = folder / "request.json"
    content.write(request, json.dumps(service.request) + "\n", mode=0o600)
    headers, new_key = _keep_key(folder / "headers", service)
    of_stack = "" if selected is None or stacks.same(selected, stack) else f" --stack {stack}"
    line = context.console.line
    if context.console.live:
        line(f"\n  one held-out row   {_show(service.row)}")
        line(f"  prediction         {_show(answer.values)}")
        line(f"  torch's own answer {_show(service.expected)}")
    else:  # a log is kept and read by others: the stack's example, a row of its data, is a secret
        line(f"\n  one held-out row   [secret]\n  prediction         {_compare(answer.values, service.expected)}")
    line(f"  page for a browser {prediction.page(context, service, answer.via)}")
    if new_key and context.console.live:
        line(f"\n  the key that clients send as X-API-Key, shown this once: {service.key}")
    elif service.key:
        line(f"\n  clients send a key as X-API-Key: pulumi stack output apiKeys --show-secrets{of_stack}")
    files = str(request.relative_to(context.layout.root)), str(headers.relative_to(context.layout.root))
    ask = "\n  ".join(prediction.by_hand(context, service, answer.via, *files))
    change = "deployment.replicas 3" if service.namespace else "container.port 8088"
    line(NEXT.format(ask=ask, change=change, stack=of_stack, down=stacks.make("down", stack)))
    return 0


def _keep_key(path: Path, service: prediction.DeployedService) -> tuple[Path, bool]:
    """The file of headers that has the key, for curl, and whether that is another key than at the last time."""
    headers = "".join(f"{name}: {value}\n" for name, value in service.headers.items())
    if path.exists() and path.read_text() == headers:
        return path, False
    content.write(path, headers, mode=0o600)
    return path, bool(headers)


def _pulumi(context: Context, stack: str, *arguments: str) -> None:
    """With our own terminal: what pulumi shows is what the user sees, and Ctrl-C reaches it."""
    argv = ["pulumi", *arguments]
    context.console.line(f"\n$ {' '.join(argv)}")
    child = subprocess.Popen(argv, env=context.variables, cwd=context.layout.root)
    while True:
        try:
            status = child.wait()
            break
        except (
            KeyboardInterrupt
        ):  # the terminal sent it to pulumi as well, which now cancels in good order; a second one makes it stop
            continue
    if status:
        raise BootstrapError(
            f"`{' '.join(argv)}` ended with exit status {status} (its own words are above)",
            [
                *_passphrase(context, stack),
                f"repair what it names and say {stacks.make('up', stack)} again: finished work is kept",
                "make status shows what runs",
            ],
        )


def _passphrase(context: Context, stack: str) -> Iterator[str]:
    """The way out where the stack's secrets cannot be read."""
    asked = ["pulumi", "stack", "output", "--show-secrets", "--stack", stack]
    try:
        programs.demand(asked, env=context.variables, cwd=context.layout.root, timeout_seconds=60)
    except BootstrapError as problem:
        if "passphrase" in problem.message:
            names = " and ".join(PASSPHRASES)
            yield (
                f"give the passphrase that stack {stack} was made with in one of {names}; set-up's own is in "
                ".sealift/passphrase, and is taken where both are unset"
            )


def _compare(values: list[float], expected: list[float]) -> str:
    differences = [abs(value - other) for value, other in zip(values, expected, strict=True)]
    largest = max(map(abs, expected), default=0.0)
    if all(difference <= SAME * largest for difference in differences):
        return "[secret], the same as torch's own answer"
    return f"[secret], off torch's own answer by up to {max(differences) / largest if largest else 1:.1%}"


def _show(values: Sequence[float | str]) -> str:
    shown = ", ".join(value if isinstance(value, str) else f"{value:.4g}" for value in values[:10])
    return f"[{shown}, … {len(values)} in all]" if len(values) > 10 else f"[{shown}]"
