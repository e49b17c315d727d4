"""`test`: pytest over unit, process, engine and cluster tests, in the environment that .tools/activate sets."""

import subprocess
from collections.abc import Sequence

from bootstrap.context import Context
from bootstrap.steps import metrics_server, nginx, object_store, prometheus, yaml_host

SUITES = ("tests/unit", "tests/process", "tests/engine", "tests/cluster")


def run(context: Context, arguments: Sequence[str]) -> int:
    """Returns pytest's exit status."""
    if not arguments and context.layout.lender is None:
        with context.console.step(yaml_host.TITLE) as step:
            yaml_host.ensure(context, step)
        with context.console.step(prometheus.TITLE) as step:
            prometheus.ensure(context, step)
        with context.console.step(nginx.TITLE) as step:
            nginx.ensure(context, step)
        with context.console.step(object_store.TITLE) as step:
            object_store.ensure_program(context, step)
        with context.console.step(metrics_server.TITLE) as step:
            metrics_server.ensure_for_tests(context, step)
    chosen = list(arguments) or [suite for suite in SUITES if (context.layout.root / suite).exists()]
    argv = [str(context.layout.python), "-m", "pytest", *chosen]
    return subprocess.run(argv, env=context.variables, cwd=context.layout.root, check=False).returncode
