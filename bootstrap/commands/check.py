"""`check`: lint, types, and which room may import which. All three run, also when the first finds something."""

import subprocess

from bootstrap.commands import worktree
from bootstrap.context import Context

COMMANDS = (("ruff", "check"), ("mypy",), ("lint-imports",))


def run(context: Context) -> int:
    """Exit status 1 if any of them found something. Needs only the Python environment."""
    context = worktree.with_python(context)
    failed = []
    for argv in COMMANDS:
        context.console.line(f"\n$ {' '.join(argv)}")
        if subprocess.run(argv, env=context.variables, cwd=context.layout.root, check=False).returncode:
            failed.append(argv[0])
    context.console.line(f"\nfound something: {', '.join(failed)}" if failed else "\nall good")
    return 1 if failed else 0
