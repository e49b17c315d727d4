"""Step before the tests: nginx, the reverse proxy in the test that no client gets another client's answer. It is the
one on PATH, otherwise Debian's package.

No stack needs it, so a machine without it only skips that test.
"""

import os
import shutil

from bootstrap.console import Step
from bootstrap.context import Context
from bootstrap.errors import PartMissing
from bootstrap.system import debian

TITLE = "nginx"
PACKAGES = ("nginx-common", "nginx")
SYSTEM = "/usr/sbin"
"""Folder of Debian's nginx, which is not on every user's PATH."""


def ensure(context: Context, step: Step) -> None:
    if shutil.which("nginx", path=os.pathsep.join([context.user.get("PATH", ""), SYSTEM])):
        step.done("already installed")
        return
    try:
        debian.require(TITLE, PACKAGES, context.layout, step.progress)
    except PartMissing as missing:
        step.done(f"the test that needs it is skipped ({missing.message})")
        return
    step.done("Debian's package, not started")
