"""Recipients and identities as the command line names them: files, addresses of keys in a KMS, `-`.

A public key may also stand there as its text. A private key may not: other processes of the machine can read the
command line.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from sealift.command.errors import CommandError, WrongUsage
from sealift.own_keys import unwrap_with
from sealift.sealing import (
    Identity,
    Recipient,
    SealingError,
    WrongKey,
    is_authentic,
    is_in_kms,
    parse_key,
    parse_recipient,
    recipient_ids,
)
from sealift.sealing.data_key import PREFIX as DATA_KEY_PREFIX
from sealift.sealing.kms.parse import open_key
from sealift.signing import SigningError, SigningKey
from sealift.stores import Store

STANDARD_INPUT: Final = "-"
SECRET_MARKS: Final = ("PRIVATE KEY-----", DATA_KEY_PREFIX)
PEM: Final = re.compile(r"-----BEGIN [^-]+-----.*?-----END [^-]+-----", re.DOTALL)
LARGEST_KEY_FILE: Final = 1 << 20
RECIPIENT_HELP: Final = "public key to seal to: a PEM file, its text, or the address of a key in a KMS; repeatable"
RECIPIENTS_HELP: Final = "file of several public keys in PEM and addresses, one after the other, with # before comments"
IDENTITY_HELP: Final = (
    "private key that opens the artifact: a file, - for standard input, or the address of a key in a KMS; repeatable"
)
KEY_STORE_HELP: Final = "URL of the store of keys, for artifacts with a key-encryption key of their own"

Key = Identity | bytes
"""A private key, or the data key of one artifact."""


def add_recipients(parser: argparse.ArgumentParser) -> None:
    """Adds the options that name recipients."""
    parser.add_argument("-r", "--recipient", metavar="RECIPIENT", action="append", default=[], help=RECIPIENT_HELP)
    parser.add_argument("-R", "--recipients", metavar="FILE", action="append", default=[], help=RECIPIENTS_HELP)


def add_identities(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """Adds the options that name private keys and the store of keys."""
    parser.add_argument(
        "-i", "--identity", metavar="IDENTITY", action="append", default=[], required=required, help=IDENTITY_HELP
    )
    add_key_store(parser)


def add_key_store(parser: argparse.ArgumentParser, does: str = KEY_STORE_HELP) -> None:
    """Adds the option of the store of keys."""
    parser.add_argument("--keys", metavar="URL", help=does)


def refuse_secrets(arguments: Sequence[str]) -> None:
    """Raises WrongUsage, without the text, if an argument is a private key."""
    if any(mark in argument for argument in arguments for mark in SECRET_MARKS):
        raise WrongUsage(
            "a private key must not be an argument: other processes of this machine can read it there",
            "write it to a file with mode 0600 and give the file's name, or give - and the key on standard input; "
            "and consider this key known",
        )


def find_recipients(options: argparse.Namespace) -> list[Recipient]:
    """Reads all recipients of the options, each once. Raises CommandError or SealingError."""
    found = [read_recipient(given) for given in options.recipient]
    for given in options.recipients:
        found += [_parse_recipient(text, given) for text in _listed(read_key_file(given))]
    return list({one.key_id: one for one in found}.values())


def find_keys(options: argparse.Namespace) -> list[Key]:
    """Reads all private keys of the options. Raises CommandError or SealingError."""
    if options.identity.count(STANDARD_INPUT) > 1:
        raise WrongUsage("standard input can be one private key only", "name the other keys' files")
    return [_identity(given) for given in options.identity]


def data_key_of(manifest: bytes, keys: Sequence[Key], key_store: Store | None) -> bytes:
    """Returns the artifact's data key, which the first key that fits unwraps, with the artifact's own key from
    `key_store` if it has one. Raises ManifestInvalid, WrongKey or StoreError."""
    given = [key for key in keys if isinstance(key, bytes)]
    for data_key in given:
        if is_authentic(manifest, data_key):
            return data_key
    identities = [key for key in keys if not isinstance(key, bytes)]
    if given and not identities:
        recipient_ids(manifest)  # raises ManifestInvalid if it is no manifest at all
        raise WrongKey("the data key is another artifact's, or the manifest was altered", "use this artifact's key")
    return unwrap_with(manifest, identities, key_store)


def read_recipient(given: str) -> Recipient:
    """Reads one recipient: a file, its text or an address. Raises CommandError or WrongUsage."""
    if is_in_kms(given) or given.lstrip().startswith("-----BEGIN "):
        return _parse_recipient(given, "")
    found = _listed(read_key_file(given))
    if len(found) != 1:
        raise WrongUsage(f"{given} has {len(found)} keys; allowed: one", "give a file of several keys with -R")
    return _parse_recipient(found[0], given)


def _parse_recipient(text: str, file: str) -> Recipient:
    place = f"{file}: " if file else ""
    if any(mark in text for mark in SECRET_MARKS):
        raise CommandError(
            f"{place}this is a private key, and artifacts are sealed to public keys",
            "give the public key, which `openssl pkey -in FILE -pubout` prints",
        )
    try:
        return parse_recipient(open_key(text).public_key().pem if is_in_kms(text) else text)
    except SealingError as error:
        raise CommandError(f"{place}{error.message}", error.hint) from None


def _identity(given: str) -> Key:
    text = given if is_in_kms(given) else read_key_file(given)
    try:
        return parse_key(text)
    except SealingError as error:
        with suppress(SigningError):
            SigningKey(text)
            raise CommandError(
                f"{given} is a signing key, which opens nothing",
                "give a private key that the artifact was sealed to; `sealift inspect` shows the ids of these keys",
            ) from None
        place = "" if is_in_kms(given) else f"{key_place(given)}: "
        raise CommandError(f"{place}{error.message}", error.hint) from None


def _listed(text: str) -> list[str]:
    """The keys of a file: blocks in PEM, and other lines that are no comments."""
    lines = [line.strip() for line in PEM.sub("\n", text).splitlines()]
    found = PEM.findall(text) + [line for line in lines if line and not line.startswith("#")]
    return found or [text]


def read_key_file(given: str) -> str:
    """Reads the text of a key's file, or of standard input. Raises CommandError."""
    try:
        if given == STANDARD_INPUT:
            content = sys.stdin.buffer.read(LARGEST_KEY_FILE + 1)
        else:
            with Path(given).open("rb") as file:
                content = file.read(LARGEST_KEY_FILE + 1)
    except OSError as error:
        forms = "give a file, or the address of a key in a KMS"
        raise CommandError(f"the key {given} cannot be read: {error.strerror}", forms) from None
    if len(content) > LARGEST_KEY_FILE:
        raise CommandError(f"{key_place(given)} is not a key: it has more than {LARGEST_KEY_FILE} bytes")
    return content.decode("ascii", "replace")


def key_place(given: str) -> str:
    """Names the place of a key, for messages."""
    return "standard input" if given == STANDARD_INPUT else given
