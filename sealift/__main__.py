"""The command `sealift`, or `python -m sealift`."""

import argparse
import sys
from collections.abc import Sequence

from sealift.serving.version import VERSION


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a command with the arguments after its name. Leaves by SystemExit, as the command does."""
    parser = argparse.ArgumentParser(prog="sealift", description="Serves models that Sealift sealed.")
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    serve_help = "serve one sealed model over HTTP and gRPC; `sealift serve --help` has the options"
    commands.add_parser("serve", help=serve_help, add_help=False)
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser.parse_args(given[:1])
    from sealift.serving.__main__ import main as serve  # needs the extra `serve`

    serve(given[1:])


if __name__ == "__main__":
    main()
