"""Kinds of the keys that sign artifacts and check signatures."""

from typing import Final

from sealift.settings import Kind, Problem, Refused, RefusedInside
from sealift.signing import Signer, SigningError, SigningKey

SIGNING_KEY_ALLOWED: Final = "a private key in PEM, ECDSA on P-256 or P-384, unencrypted"
SIGNERS_ALLOWED: Final = "a list of public keys in PEM, each ECDSA on P-256 or P-384"


def _signing_key(value: object) -> str:
    if not isinstance(value, str):  # not quoted: it may be a private key
        raise RefusedInside(Problem("", f"is not text; allowed: {SIGNING_KEY_ALLOWED}"))
    try:
        SigningKey(value)
    except SigningError as error:
        raise RefusedInside(Problem("", f"is not usable: {error.message}; {error.hint}")) from None
    return value


def _signers(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise Refused(f"allowed: {SIGNERS_ALLOWED}")
    problems = []
    for index, text in enumerate(value):
        try:
            Signer(str(text))
        except SigningError as error:
            problems.append(Problem(f"[{index}]", f"is not usable: {error.message}; {error.hint}"))
    if problems:
        raise RefusedInside(*problems)
    return tuple(map(str, value))


SIGNING_KEY: Final = Kind("string", SIGNING_KEY_ALLOWED, _signing_key)
SIGNERS: Final = Kind("array", SIGNERS_ALLOWED, _signers, "string")
