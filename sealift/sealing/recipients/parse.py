"""From text to a recipient or an identity: the one place that lists the kinds.

A new kind is a file beside this one and a line in KINDS.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from sealift.sealing.errors import WrongKey
from sealift.sealing.recipients import rsa_oaep
from sealift.sealing.recipients.recipient import Identity, Recipient

T = TypeVar("T")


@dataclass(frozen=True)
class RecipientKind:
    """How a kind's keys are read (WrongKey: not one of this kind), and the size of a data key that it wrapped."""

    recipient: Callable[[str], Recipient]
    identity: Callable[..., Identity]
    wrapped_bytes: int


KINDS: Final = {
    rsa_oaep.KIND: RecipientKind(rsa_oaep.RsaRecipient, rsa_oaep.RsaIdentity, rsa_oaep.WRAPPED_BYTES),
}
"""By the name that stands in manifests."""


def parse_recipient(text: str) -> Recipient:
    """Raises WrongKey if it is none of any kind."""
    return _first(text, (kind.recipient for kind in KINDS.values()))


def parse_identity(text: str, *, trusted: bool = False) -> Identity:
    """One that is `trusted` has been read once without it. Raises WrongKey if it is none of any kind."""
    return _first(text, (partial(kind.identity, trusted=trusted) for kind in KINDS.values()))


def _first(text: str, parsers: Iterable[Callable[[str], T]]) -> T:
    refusals = []
    for parse in parsers:
        try:
            return parse(text)
        except WrongKey as refusal:
            refusals.append(refusal)
    raise refusals[0]
