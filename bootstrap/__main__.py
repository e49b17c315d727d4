"""`python3 -m bootstrap`: checks the version of Python, then calls command_line.py.

Only this file keeps to the syntax of old Pythons, so that an old Python can show the error.
"""

import sys

OLDEST = (3, 11)

if sys.version_info < OLDEST:
    lines = [
        "error: Python is {2} ({3}); Sealift needs {0}.{1} or newer",
        "  hint: install a newer Python (Debian 12: apt-get install python3 python3-venv)",
        "  hint: choose an installed Python: make PYTHON=/path/to/python3.11 setup",
    ]
    sys.stderr.write("\n".join(lines).format(OLDEST[0], OLDEST[1], sys.version.split()[0], sys.executable) + "\n")
    sys.exit(1)

from bootstrap import command_line  # noqa: E402 (not before the check above)

if __name__ == "__main__":
    sys.exit(command_line.main(sys.argv[1:]))
