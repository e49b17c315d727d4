"""`python -m tests.conformance`: clients that others wrote against our model server, and how many checks passed.

`--install FOLDER` makes their environment there, `--clients FOLDER` runs them from it.
"""

import argparse
import sys
from pathlib import Path

from tests.conformance.clients import CLIENTS, installed
from tests.conformance.run import run


def main() -> int:
    """1 if a check has failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=(__doc__ or "").partition("\n")[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--install", type=Path, metavar="FOLDER", help="install the clients there, and run nothing")
    what.add_argument("--clients", type=Path, metavar="FOLDER", help="where --install has put them")
    arguments = parser.parse_args()
    if arguments.install:
        installed(arguments.install.absolute())
        return 0
    failures = 0
    for client, counts in run(arguments.clients.absolute(), CLIENTS):
        failed, skipped = counts["failed"], counts["skipped"]
        print(f"{client.title}: {counts['passed']} passed, {len(failed)} failed, {len(skipped)} skipped", flush=True)
        for name, reason in (failed | skipped).items():
            print(f"    {'failed' if name in failed else 'skipped'}: {name}: {reason}")
        failures += len(failed)
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
