"""`docs`: writes the generated files and builds the documentation's site. Needs only the Python environment."""

import subprocess
from typing import Final

from bootstrap.commands import worktree
from bootstrap.context import Context

SITE: Final = "site"
QUIET: Final = {"NO_MKDOCS_2_WARNING": "1"}
"""mkdocs-material announces the end of its maintenance in 2027 at every start."""


def run(context: Context) -> int:
    """The exit status of the first command that fails, or 0."""
    context = worktree.with_python(context)
    python, root = str(context.layout.python), context.layout.root
    for argv in ([python, "-m", "docs.generate"], build_site(python, SITE)):
        if status := subprocess.run(argv, env={**context.variables, **QUIET}, cwd=root, check=False).returncode:
            return status
    context.console.line(
        f"the documentation is in {SITE}/index.html; `python3 -m http.server --directory {SITE}` serves it"
    )
    return 0


def build_site(python: str, folder: str) -> list[str]:
    """Returns the command that builds the site in a folder and fails at a warning. QUIET belongs to its environment."""
    return [python, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder]
