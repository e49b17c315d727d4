"""Runs one source plugin like `python FOLDER ARGUMENTS`. The arguments are the process id of the language host, with
which the plugin ends, the plugin's folder, and the plugin's own arguments.
"""

import runpy
import sys

from airgap.plugins.language_python.program import watch_host


def main() -> None:
    """Runs the plugin to its end."""
    host, folder, *arguments = sys.argv[1:]
    watch_host(int(host))
    sys.argv[:] = [folder, *arguments]
    if not sys.flags.safe_path:
        sys.path.pop(0)  # the folder in which the engine started `python -m`
    runpy.run_path(folder, run_name="__main__")


if __name__ == "__main__":
    main()
