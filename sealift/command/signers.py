"""Signatures and the keys of their signers, as the command line names them."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar

from sealift.command.artifact import Location, read_input
from sealift.command.errors import CommandError
from sealift.command.keys import key_place, read_key_file
from sealift.signing import MAX_BYTES, SignedFile, Signer, SigningError, SigningKey, verify
from sealift.stores import get_signature

KEY_HELP: Final = "private key of the signer: a file, or - for standard input; `sealift keygen --signing` makes one"
SIGNER_HELP: Final = (
    "public key of a trusted signer: a PEM file; repeatable; an artifact that none of them signed is refused"
)

Parsed = TypeVar("Parsed")


def add_signing_key(parser: argparse.ArgumentParser) -> None:
    """Adds the option that names the key to sign with."""
    parser.add_argument("--key", metavar="FILE", required=True, help=KEY_HELP)


def add_signers(parser: argparse.ArgumentParser) -> None:
    """Adds the option that names trusted signers."""
    parser.add_argument("--signer", metavar="FILE", action="append", default=[], help=SIGNER_HELP)


def add_signature(parser: argparse.ArgumentParser, text: str) -> None:
    """Adds the option that names a signature's file."""
    parser.add_argument("--signature", type=Path, metavar="FILE", help=text)


def find_signing_key(options: argparse.Namespace) -> SigningKey:
    """Reads the key to sign with. Raises CommandError."""
    return _parse(options.key, SigningKey)


def find_signers(options: argparse.Namespace) -> list[Signer]:
    """Reads the public keys of all trusted signers. Raises CommandError."""
    return [_parse(given, Signer) for given in options.signer]


def read_statement(location: Location, file: Path | None, signers: Sequence[Signer]) -> tuple[SignedFile, Signer]:
    """Reads what a trusted signer signed: in a file, or else in the artifact's store. Raises CommandError, StoreError
    or SigningError.
    """
    if file is not None:
        return verify(read_input(file, MAX_BYTES), signers)
    if location.store is None or location.artifact_id is None:
        raise AssertionError("internal error: no place of a signature")
    signature = get_signature(location.store, location.artifact_id)
    if signature is None:
        raise CommandError(
            f"artifact {location.artifact_id} has no signature in the store {location.store.location}",
            "`sealift sign` signs it; give --signature FILE if the signature is elsewhere",
        )
    return verify(signature, signers)


def _parse(given: str, parse: Callable[[str], Parsed]) -> Parsed:
    try:
        return parse(read_key_file(given))
    except SigningError as error:
        raise CommandError(f"{key_place(given)}: {error.message}", error.hint) from None
