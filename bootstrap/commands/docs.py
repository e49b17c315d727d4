"""`docs`: writes what follows from the declarations of the settings. Needs only the Python environment."""

import subprocess

from bootstrap.commands import worktree
from bootstrap.context import Context


def run(context: Context) -> int:
    """The generator's exit status."""
    context = worktree.with_python(context)
    argv = [str(context.layout.python), "-m", "docs.reference"]
    return subprocess.run(argv, env=context.variables, cwd=context.layout.root, check=False).returncode
