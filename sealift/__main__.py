"""The command `sealift`, or `python -m sealift`."""

import sys
from collections.abc import Sequence

from sealift.serving.version import VERSION

INTERRUPTED = 130
EXTRA = """error: the model server needs packages that are not installed: {missing}
hint: pip install "sealift[serve]"
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command with the arguments after its name. Returns its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["serve"]:
        return _serve(given[1:])
    if given == ["--version"]:  # also answered where the package was installed without what it needs
        print(VERSION)
        return 0
    try:
        # Imported only here: the server's process does not load the code that decrypts.
        from sealift.command.program import run

        return run(given)
    except KeyboardInterrupt:
        return INTERRUPTED


def _serve(arguments: list[str]) -> int:
    try:
        from sealift.serving.__main__ import main as serve

        return serve(arguments, program="sealift serve")
    except ModuleNotFoundError as error:
        sys.stderr.write(EXTRA.format(missing=error.name))
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
