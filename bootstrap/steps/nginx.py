"""Step, before the tests: nginx, which stands before the server in the test that no client gets another's answer. The
one on PATH; else Debian's package.

No stack needs it, so a machine where it cannot be had only skips that test.
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
"""Where Debian has it, which is not on every user's PATH."""


def ensure(context: Context, step: Step) -> None:
    if shutil.which("nginx", path=os.pathsep.join([context.user.get("PATH", ""), SYSTEM])):
        step.done("on this machine")
        return
    try:
        debian.require(TITLE, PACKAGES, context.layout, step.progress)
    except PartMissing as missing:
        step.done(f"the test that needs it is skipped ({missing.message})")
        return
    step.done("Debian's package, not started")
