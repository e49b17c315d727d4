"""`report`: opens the sealed report of the model that a stack has, and shows it."""

import json
import os
import subprocess
from collections.abc import Sequence

from bootstrap.commands import stacks
from bootstrap.context import Context
from bootstrap.errors import BootstrapError
from bootstrap.system import programs


def run(context: Context, stack: str, arguments: Sequence[str]) -> int:
    """The exit status of `python -m training report`, which gets the key by a pipe: it is on no disk and in no list."""
    outputs = json.loads(
        programs.ask(
            ["pulumi", "stack", "output", "--json", "--show-secrets", "--stack", stack],
            env=context.variables,
            cwd=context.layout.root,
            timeout_seconds=60,
        )
        or "{}"
    )
    report, key = outputs.get("report"), outputs.get("privateKey")
    if not report or not key:
        raise BootstrapError(
            f"stack {stack!r} has no report", [f"{stacks.make('up', stack)} trains a model and writes one"]
        )
    reading, writing = os.pipe()
    os.write(writing, key.encode())
    os.close(writing)
    argv = [
        *("python", "-m", "training", "report", "--store", report["storeUrl"], "--artifact", report["artifactId"]),
        *("--payload-digest", report["payloadDigest"], "--key", f"/dev/fd/{reading}", *arguments),
    ]
    try:
        return subprocess.run(
            argv, env=context.variables, cwd=context.layout.root, pass_fds=(reading,), check=False
        ).returncode
    finally:
        os.close(reading)
