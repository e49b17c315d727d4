"""A recipient kind as a key management service's would be: the key stays there, and its address is all that is said."""

import hashlib
import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sealift.sealing import WrongKey
from sealift.sealing.errors import NotThisKind
from sealift.sealing.recipients.recipient import RecipientKind, Stanza

SCHEME: Final = "test-kms://"
KEYS: Final = {f"{SCHEME}keys/{name}": AESGCM(secrets.token_bytes(32)) for name in ("one", "other")}
"""What the service has, by address."""


class KeptElsewhere:
    """Recipient and identity alike: who may do which is the service's matter."""

    kinds = ("TEST-KMS",)

    def __init__(self, address: str, trusted: bool = False) -> None:
        if not address.startswith(SCHEME):
            raise NotThisKind(f"this is not a key's address {SCHEME}…", f"it begins with {SCHEME}")
        self._address = address.strip()

    @property
    def key_id(self) -> str:
        return hashlib.sha256(self._address.encode()).hexdigest()

    def wrap(self, data_key: bytes) -> Stanza:
        nonce = secrets.token_bytes(12)
        return Stanza(self.kinds[0], self.key_id, nonce + KEYS[self._address].encrypt(nonce, data_key, None))

    def unwrap(self, stanza: Stanza) -> bytes:
        try:
            return KEYS[self._address].decrypt(stanza.wrapped_key[:12], stanza.wrapped_key[12:], None)
        except InvalidTag:
            raise WrongKey("the data key does not unwrap with this key") from None


KEPT_ELSEWHERE: Final = RecipientKind("TEST-KMS", "a key's address", "a key's address", KeptElsewhere, KeptElsewhere)
