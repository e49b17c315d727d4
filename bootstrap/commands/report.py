"""`report`: opens and shows the sealed report of a stack's last run. That is the run of the deployed model, or a later
run that its gates refused; then a warning says so.
"""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from bootstrap.commands import stacks
from bootstrap.context import Context
from bootstrap.environment import PASSPHRASES
from bootstrap.errors import BootstrapError
from bootstrap.system import programs

REFUSED: Final = Path(".sealift/refused-reports")
SEALING_KEY: Final = "sealift:index:SealingKey"


def run(context: Context, stack: str, arguments: Sequence[str], *, deployed: bool = False) -> int:
    """Returns the exit status of `python -m training report`. `deployed`: shows the report of the deployed model, even
    if a later run was refused.
    """
    outputs = _ask_outputs(context, "stack", "output", "--json", "--show-secrets", "--stack", stack)
    sealed, key = outputs.get("report"), outputs.get("privateKey") or _key_in_state(context, stack)
    refused = [] if deployed else _find_refused(context.layout.root / REFUSED / quote(stacks.short(stack), safe=""))
    if not key or not (sealed or refused):
        raise BootstrapError(
            f"stack {stack!r} has no report", [f"run {stacks.make('up', stack)}, which trains a model and its report"]
        )
    for report in refused:
        context.console.warn(
            "this is the report of a run that its gates refused, not of the deployed model"
            + (f"; for the deployed model, run {stacks.make('report DEPLOYED=1', stack)}" if sealed else "")
        )
        status = _show(context, report, key, arguments)
        if status:
            return status
    return 0 if refused else _show(context, outputs["report"], key, arguments)


def _ask_outputs(context: Context, *arguments: str) -> dict[str, Any]:
    """Returns pulumi's JSON. `arguments` end with the stack. Raises BootstrapError with pulumi's own reason."""
    argv = ["pulumi", *arguments]
    try:
        answer = programs.demand(argv, env=context.variables, cwd=context.layout.root, timeout_seconds=60)
    except BootstrapError as problem:
        raise BootstrapError(
            f"the outputs of stack {arguments[-1]!r} could not be read: {problem.message}",
            [f"check PULUMI_BACKEND_URL and {' or '.join(PASSPHRASES)}"],
        ) from problem
    found: dict[str, Any] = json.loads(answer or "{}")
    return found


def _key_in_state(context: Context, stack: str) -> str | None:
    """Returns the key of a stack whose first run was refused, so that its program set no output."""
    state = _ask_outputs(context, "stack", "export", "--show-secrets", "--stack", stack)
    for resource in (state.get("deployment") or {}).get("resources") or []:
        if resource.get("type") == SEALING_KEY:
            key = (resource.get("outputs") or {}).get("privateKey")
            return json.loads(key["plaintext"]) if isinstance(key, dict) else key
    return None


def _find_refused(folder: Path) -> list[dict[str, str]]:
    """Returns the reports that the plugin noted (components/plugin/refused_report.py), in the form of the output
    `report`.
    """
    found = []
    for file in sorted(folder.glob("*.json")):
        with suppress(OSError, ValueError):  # an incomplete note names no report
            noted = json.loads(file.read_text())
            if isinstance(noted, dict) and {"storeUrl", "artifactId", "payloadDigest"} <= noted.keys():
                found.append(noted)
    return found


def _show(context: Context, report: Mapping[str, str], key: str, arguments: Sequence[str]) -> int:
    """Shows a report. The key goes through a pipe, so it is neither on a disk nor in the list of processes."""
    reading, writing = os.pipe()
    os.write(writing, key.encode())
    os.close(writing)
    argv = [
        *("python", "-m", "training", "report", "--store", report["storeUrl"], "--artifact", report["artifactId"]),
        *("--payload-digest", report["payloadDigest"], "--key", f"/dev/fd/{reading}"),
        *(("--keys", report["keysUrl"]) if report.get("keysUrl") else ()),
        *arguments,
    ]
    try:
        return subprocess.run(
            argv, env=context.variables, cwd=context.layout.root, pass_fds=(reading,), check=False
        ).returncode
    finally:
        os.close(reading)
