"""`docs`: writes the pages that are generated from the declarations of the settings, in the environment of set-up."""

import subprocess

from bootstrap.context import Context


def run(context: Context) -> int:
    """The generator's exit status."""
    argv = [str(context.layout.python), "-m", "docs.reference"]
    return subprocess.run(argv, env=context.variables, cwd=context.layout.root, check=False).returncode
