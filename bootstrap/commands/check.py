"""`check`: lint, types, and imports between packages. All three checks run, even if an earlier one fails."""

import subprocess

from bootstrap.commands import worktree
from bootstrap.context import Context

COMMANDS = (("ruff", "check"), ("mypy",), ("lint-imports",))


def run(context: Context) -> int:
    """Returns exit status 1 if a check failed. Needs only the Python environment."""
    context = worktree.with_python(context)
    failed = []
    for argv in COMMANDS:
        context.console.line(f"\n$ {' '.join(argv)}")
        if subprocess.run(argv, env=context.variables, cwd=context.layout.root, check=False).returncode:
            failed.append(argv[0])
    context.console.line(f"\nfailed: {', '.join(failed)}" if failed else "\nall checks passed")
    return 1 if failed else 0
