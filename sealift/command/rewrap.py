"""`sealift rewrap`: other recipients for artifacts of a store. Payloads stay as they are."""

import argparse
import re
from collections.abc import Sequence
from typing import Final

from sealift.command.artifact import ARTIFACTS_HELP, add_all, add_store, artifact_id, chosen_ids, find_store
from sealift.command.errors import CommandError, WrongUsage
from sealift.command.keys import (
    Key,
    add_identities,
    add_recipients,
    data_key_of,
    find_keys,
    find_recipients,
    read_recipient,
)
from sealift.command.subcommand import DONE, REFUSED, Subcommand
from sealift.command.terminal import Terminal
from sealift.names import counted
from sealift.rewrapping import Change, change_recipients, with_and_without, with_only
from sealift.sealing import SealingError
from sealift.sealing.manifest import parse_manifest
from sealift.stores import ArtifactMissing, Store, StoreError, StoreUnwritable

KEY_ID: Final = re.compile(r"[0-9a-f]{64}\Z")


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("artifact_id", metavar="ARTIFACT-ID", nargs="*", type=artifact_id, help=ARTIFACTS_HELP)
    add_all(parser)
    add_store(parser, required=True)
    add_identities(parser, required=True)
    add_recipients(parser)
    added = "public key to add, in the forms of -r, while the other recipients stay; repeatable"
    parser.add_argument("--add", metavar="RECIPIENT", action="append", default=[], help=added)
    removed = "recipient to remove: a key id, as `sealift list --json` shows it, or a form of -r; repeatable"
    parser.add_argument("--remove", metavar="KEY", action="append", default=[], help=removed)


def _run(options: argparse.Namespace, terminal: Terminal) -> int:
    change = _change(options)
    store = find_store(options)
    ids, keys = chosen_ids(options, store), find_keys(options)
    outcomes = [_report(store, one, keys, change, terminal) for one in ids]
    return DONE if all(outcomes) else REFUSED


def _change(options: argparse.Namespace) -> Change:
    """Returns the change that the options describe. Raises WrongUsage, CommandError or SealingError."""
    replaces, edits = options.recipient or options.recipients, options.add or options.remove
    if bool(replaces) == bool(edits):
        raise WrongUsage(
            "the new recipients are missing or double",
            "give all of them with -r and -R, or change some with --add and --remove",
        )
    if replaces:
        return with_only(find_recipients(options))
    added = [read_recipient(given) for given in options.add]
    removed = {given if KEY_ID.match(given) else read_recipient(given).key_id for given in options.remove}
    return with_and_without(added, removed)


def _report(store: Store, one: str, keys: Sequence[Key], change: Change, terminal: Terminal) -> bool:
    """Changes one artifact. Says whether that succeeded. Raises StoreUnwritable, which concerns them all."""
    try:
        manifest, changed = change_recipients(store, one, lambda stored: data_key_of(stored, keys, store.keys), change)
    except StoreUnwritable:
        raise
    except (CommandError, SealingError, StoreError) as error:
        missing = isinstance(error, ArtifactMissing)
        hint = "`sealift list --store URL` shows all ids" if missing else error.hint
        if terminal.as_json:
            terminal.say({"artifactId": one, "changed": False, "error": error.message})
        else:
            terminal.complain(f"{one}: {error.message}", hint)
        return False
    ids = [stanza.key_id for stanza in parse_manifest(manifest).recipients]
    said = counted(len(ids), "recipient") if changed else "unchanged"
    terminal.say({"artifactId": one, "changed": changed, "recipients": ids}, f"{one}: {said}")
    return True


COMMAND: Final = Subcommand(
    "rewrap",
    "change the recipients of artifacts in a store, without their payloads",
    "Wraps the data keys of artifacts for other recipients. -r and -R name all recipients that the artifacts have "
    "afterwards; --add and --remove change some and leave the others. If another process changes a manifest "
    "meanwhile, its version is read again and changed. After an interruption, run the same command again. Payloads "
    "and their digests stay the same. This does not revoke access: whoever kept an old manifest and a key for it can "
    "still open that artifact.",
    "sealift rewrap --all --store file://~/.sealift/store -i old.pem -r new.pem.pub -r recovery.pub\n"
    "sealift rewrap 0123456789abcdef0123456789abcdef --store s3://my-bucket/models -i key.pem --add audit.pub\n"
    "sealift rewrap --all --store file:///srv/models -i hashivault://sealift --remove old.pem.pub",
    _add_options,
    _run,
)
