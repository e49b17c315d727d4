"""Runs one source plugin as `python FOLDER ARGUMENTS` would. The arguments: the process id of the language host, which
the plugin does not outlive, the plugin's folder, and what it is given.
"""

import runpy
import sys

from airgap.plugins.language_python.program import watch_host


def main() -> None:
    """Returns when the plugin does."""
    host, folder, *arguments = sys.argv[1:]
    watch_host(int(host))
    sys.argv[:] = [folder, *arguments]
    if not sys.flags.safe_path:
        sys.path.pop(0)  # where `python -m` was started, which is the engine's choice
    runpy.run_path(folder, run_name="__main__")


if __name__ == "__main__":
    main()
