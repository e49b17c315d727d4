"""`audit`: known vulnerabilities of the locked packages, those of the environment and those of the image.

pip-audit asks PyPI's service for advisories. Where that service is out of reach, as behind a mirror of packages, it
skips packages and still reports success. Here a package that was not looked up is a failure of its own.
"""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bootstrap.commands import worktree
from bootstrap.context import Context

LOCKS: Final[Mapping[str, str]] = {
    "environment": "requirements.lock",
    "image": "sealift/serving/requirements.lock",
}
CLEAN: Final = 0
VULNERABLE: Final = 1
NOT_LOOKED_UP: Final = 3
"""Exit status if nothing is known to be vulnerable, but some packages were not looked up."""


@dataclass(frozen=True)
class Found:
    """What pip-audit says of one lock."""

    vulnerable: tuple[str, ...]
    """One line for each known vulnerability."""
    looked_up: int
    skipped: tuple[str, ...]
    """Names of the packages that were not looked up."""


def run(context: Context) -> int:
    """Returns VULNERABLE, NOT_LOOKED_UP or CLEAN. Needs only the Python environment and the service."""
    context = worktree.with_python(context)
    found = []
    for name, lock in LOCKS.items():
        argv = [
            str(context.layout.python), "-m", "pip_audit", "--disable-pip", "--require-hashes", "--format", "json",
            "--progress-spinner", "off", "--requirement", lock,
        ]  # fmt: skip
        done = subprocess.run(
            argv, env=context.variables, cwd=context.layout.root, check=False, capture_output=True, text=True
        )
        one = read_answer(done.stdout)
        found.append(one)
        for line in _say(name, one, done.stderr):
            context.console.line(line)
    return status_of(found)


def read_answer(text: str) -> Found | None:
    """Reads pip-audit's JSON. Returns None if it gave none, as after an error of the network."""
    try:
        packages: list[dict[str, Any]] = json.loads(text)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return None
    skipped = tuple(one["name"] for one in packages if "skip_reason" in one)
    return Found(
        tuple(
            f"{one['name']} {one['version']}: {known['id']}, {_way_out(known)}"
            for one in packages
            for known in one.get("vulns", ())
        ),
        len(packages) - len(skipped),
        skipped,
    )


def status_of(found: list[Found | None]) -> int:
    """Returns the exit status for what was found in all locks."""
    if any(one is not None and one.vulnerable for one in found):
        return VULNERABLE
    return NOT_LOOKED_UP if any(one is None or one.skipped or not one.looked_up for one in found) else CLEAN


def _say(name: str, found: Found | None, errors: str) -> list[str]:
    if found is None:
        last = (errors.strip().splitlines() or ["no answer"])[-1]
        return [f"{name}: nothing was looked up: {last}"]
    lines = [f"{name}: {one}" for one in found.vulnerable]
    if found.skipped:
        lines.append(
            f"{name}: {len(found.skipped)} packages were not looked up, because the service does not answer for them. "
            "Run it where https://pypi.org/pypi can be reached"
        )
    return [*lines, f"{name}: {found.looked_up} packages looked up, {len(found.vulnerable)} known vulnerabilities"]


def _way_out(known: Mapping[str, Any]) -> str:
    versions = known.get("fix_versions") or []
    return f"fixed in {', '.join(versions)}" if versions else "without a fixed version"
