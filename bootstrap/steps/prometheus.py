"""Step before the tests: Prometheus and promtool, which test the alert rules. They are the ones on PATH, otherwise
Debian's package.

No stack needs them, so a machine without them only skips those tests.
"""

import shutil

from bootstrap.console import Step
from bootstrap.context import Context
from bootstrap.errors import PartMissing
from bootstrap.system import debian

TITLE = "Prometheus"
PACKAGE = "prometheus"
PROGRAMS = ("prometheus", "promtool")


def ensure(context: Context, step: Step) -> None:
    if all(shutil.which(name, path=context.user.get("PATH", "")) for name in PROGRAMS):
        step.done("on PATH")
        return
    try:
        debian.require(TITLE, [PACKAGE], context.layout, step.progress)
    except PartMissing as missing:
        step.done(f"tests that need it are skipped ({missing.message})")
        return
    step.done("Debian's package, not started")
