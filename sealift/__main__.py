"""The command `sealift`, or `python -m sealift`."""

import argparse
import sys
from collections.abc import Sequence

from sealift.serving.version import VERSION

EXTRA = """error: the model server needs packages that are not installed: {missing}
hint: pip install "sealift[serve]"
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command with the arguments after its name. Returns its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    make_parser().parse_args(given[:1])
    try:
        from sealift.serving.__main__ import main as serve

        return serve(given[1:], program="sealift serve")
    except ModuleNotFoundError as error:
        sys.stderr.write(EXTRA.format(missing=error.name))
        return 1


def make_parser() -> argparse.ArgumentParser:
    """Returns the parser of the command's name; the command parses its own arguments."""
    parser = argparse.ArgumentParser(prog="sealift", description="Serves models that Sealift sealed.")
    version = "version of the installed Sealift, which is then printed"
    parser.add_argument("--version", action="version", version=VERSION, help=version)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    serve_help = "serve one sealed model over HTTP and gRPC; `sealift serve --help` lists the options"
    commands.add_parser("serve", help=serve_help, add_help=False)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
