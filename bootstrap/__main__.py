"""`python3 -m bootstrap`: checks the Python it runs on, then hands over to command_line.py.

This file alone is kept to the syntax of old Pythons, so that one of them can say what is wrong.
"""

import sys

OLDEST = (3, 11)

if sys.version_info < OLDEST:
    lines = [
        "error: Sealift needs Python {}.{} or newer; this is {} ({})",
        "  way out: install one (Debian 12: apt-get install python3 python3-venv)",
        "  way out: say which one to use: make PYTHON=/path/to/python3.11 setup",
    ]
    sys.stderr.write("\n".join(lines).format(OLDEST[0], OLDEST[1], sys.version.split()[0], sys.executable) + "\n")
    sys.exit(1)

from bootstrap import command_line  # noqa: E402 (not before the check above)

if __name__ == "__main__":
    sys.exit(command_line.main(sys.argv[1:]))
