"""`up`: runs `pulumi up` for one stack with its own display, then requests a prediction from the deployed model."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from bootstrap import content
from bootstrap.commands import prediction, stacks, stale_lock, store
from bootstrap.context import Context
from bootstrap.environment import PASSPHRASES
from bootstrap.errors import BootstrapError
from bootstrap.steps import stack_state
from bootstrap.system import programs

SAME = 1e-4
"""Allowed difference between ONNX Runtime's and torch's answers in FP32, relative to the largest expected value."""
NEXT = """
try next (after `source .tools/activate`):
  {ask}
  pulumi stack output{stack}
  pulumi config set --path {change}{stack} && pulumi preview{stack}
  {down}"""


def run(context: Context, stack: str) -> int:
    """Returns 0 when the service has answered. Raises BootstrapError if pulumi or the service fails."""
    if not stacks.exists(context, stack):
        _pulumi(context, stack, "stack", "init", "--no-select", stack)
    selected = stacks.find_selected(context)
    if selected is None:
        _pulumi(context, stack, "stack", "select", stack)
        context.console.note(f"pulumi commands now use stack {stack}; `pulumi stack select` selects another one")
    for words in store.changes(context, stack):
        _pulumi(context, stack, *words, "--stack", stack)
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
    else:  # others read logs, and the stack's example, a row of its data, is a secret
        line(f"\n  one held-out row   [secret]\n  prediction         {_compare(answer.values, service.expected)}")
    line(f"  in a browser       {prediction.page(context, service, answer.via)}")
    if new_key and context.console.live:
        line(f"\n  API key for the header X-API-Key, shown only once: {service.key}")
    elif service.key:
        line(f"\n  API keys for the header X-API-Key: pulumi stack output apiKeys --show-secrets{of_stack}")
    files = str(request.relative_to(context.layout.root)), str(headers.relative_to(context.layout.root))
    ask = "\n  ".join(prediction.by_hand(context, service, answer.via, *files))
    change = "deployment.replicas 3" if service.namespace else "container.port 8088"
    line(NEXT.format(ask=ask, change=change, stack=of_stack, down=stacks.make("down", stack)))
    return 0


def _keep_key(path: Path, service: prediction.DeployedService) -> tuple[Path, bool]:
    """Writes the file of headers with the key, for curl. Returns it, and whether the key has changed."""
    headers = "".join(f"{name}: {value}\n" for name, value in service.headers.items())
    if path.exists() and path.read_text() == headers:
        return path, False
    content.write(path, headers, mode=0o600)
    return path, bool(headers)


def _pulumi(context: Context, stack: str, *arguments: str) -> None:
    """Runs pulumi on our own terminal, so that the user sees its display and Ctrl-C reaches it."""
    argv = ["pulumi", *arguments]
    context.console.line(f"\n$ {' '.join(argv)}")
    child = subprocess.Popen(argv, env=context.variables, cwd=context.layout.root)
    while True:
        try:
            status = child.wait()
            break
        except (
            KeyboardInterrupt
        ):  # the terminal sent it to pulumi too, which now cancels cleanly; a second one stops it at once
            continue
    if status:
        raise BootstrapError(
            f"`{' '.join(argv)}` ended with exit status {status} (see its messages above)",
            [
                *_passphrase(context, stack),
                f"fix the problem and run {stacks.make('up', stack)} again; finished work is kept",
                "run make status, which shows what is running",
            ],
        )


def _passphrase(context: Context, stack: str) -> Iterator[str]:
    """Yields a hint if the stack's secrets cannot be read."""
    asked = ["pulumi", "stack", "output", "--show-secrets", "--stack", stack]
    try:
        programs.demand(asked, env=context.variables, cwd=context.layout.root, timeout_seconds=60)
    except BootstrapError as problem:
        if "passphrase" in problem.message:
            names = " or ".join(PASSPHRASES)
            yield (
                f"set {names} to the passphrase that stack {stack} was made with; without them, set-up's own "
                "passphrase in .sealift/passphrase is used"
            )


def _compare(values: list[float], expected: list[float]) -> str:
    differences = [abs(value - other) for value, other in zip(values, expected, strict=True)]
    largest = max(map(abs, expected), default=0.0)
    if all(difference <= SAME * largest for difference in differences):
        return "[secret], equal to torch's own answer"
    return f"[secret], differs from torch's own answer by up to {max(differences) / largest if largest else 1:.1%}"


def _show(values: Sequence[float | str]) -> str:
    shown = ", ".join(value if isinstance(value, str) else f"{value:.4g}" for value in values[:10])
    return f"[{shown}, … {len(values)} in total]" if len(values) > 10 else f"[{shown}]"
