"""`sealift gc`: removal of what killed writers left in a store."""

import argparse
import re
from typing import Final

from sealift.command.artifact import add_store, find_store
from sealift.command.keys import add_key_store
from sealift.command.meter import size_text
from sealift.command.subcommand import DONE, Subcommand
from sealift.command.terminal import Terminal
from sealift.names import counted
from sealift.stores import GRACE_SECONDS, Collected, collect

SECONDS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
AGE: Final = re.compile(r"(\d{1,6})([smhd])\Z")
SHORTEST_SECONDS: Final = 3600.0


def age(text: str) -> float:
    """Returns an age in seconds. Raises ArgumentTypeError."""
    found = AGE.match(text)
    seconds = int(found[1]) * SECONDS[found[2]] if found else 0.0
    if seconds < SHORTEST_SECONDS:
        raise argparse.ArgumentTypeError(f"{text!r}; allowed: a time of at least one hour, such as 90m, 36h or 7d")
    return seconds


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_store(parser, required=True)
    add_key_store(parser)
    older = (
        "age from which a payload, signature or key without a manifest counts as left behind, such as 36h (default: 1d)"
    )
    parser.add_argument("--older-than", metavar="AGE", type=age, default=GRACE_SECONDS, help=older)
    parser.add_argument("--dry-run", action="store_true", help="list of what would be removed, with nothing removed")


def _run(options: argparse.Namespace, terminal: Terminal) -> int:
    found = collect(find_store(options), options.older_than, dry_run=options.dry_run)
    verb = "would be removed" if options.dry_run else "removed"
    kinds = {"payload": found.payloads, "signature": found.signatures, "key": found.keys, "input": found.inputs}
    for kind, entries in kinds.items():
        for one in entries:
            result = {kind: one.name, "sizeBytes": one.size_bytes, "removed": not options.dry_run}
            terminal.say(result, f"{kind} {one.name}  {size_text(one.size_bytes):>8}  {verb}")
    if found.unfinished:
        terminal.say(
            {"unfinishedUploads": found.unfinished, "removed": True},
            f"{counted(found.unfinished, 'unfinished upload')} removed",
        )
    if found == Collected((), (), 0):
        terminal.note("nothing to remove")
    return DONE


COMMAND: Final = Subcommand(
    "gc",
    "remove payloads, signatures and uploads that killed writers left in a store",
    "Removes payloads and signatures that have no manifest, and unfinished uploads, if they are older than a day. "
    "With --keys it removes own keys of artifacts that were deleted or never complete, by the store's audit log. It "
    "also removes the files of runs in a cluster that are older than a week, when no pod can read them any more. "
    "Artifacts, records of runs and tombstones stay. It needs no key, and is safe while other programs use the store: "
    "what is written again meanwhile stays.",
    "sealift gc --store file://~/.sealift/store --dry-run\nsealift gc --store s3://my-bucket/models --older-than 7d",
    _add_options,
    _run,
)
