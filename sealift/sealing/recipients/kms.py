"""Identities whose RSA-4096 key is in a key management service. They have no recipients of their own: artifacts are
sealed to the public key, as an RSA recipient.
"""

from functools import cached_property
from typing import Final

from sealift.sealing.errors import WrongKey
from sealift.sealing.kms.parse import KMS_ADDRESS_FORM, open_key
from sealift.sealing.recipients.recipient import DOES_NOT_UNWRAP, RecipientKind, Stanza
from sealift.sealing.recipients.rsa_oaep import KEY_BITS, KIND, RsaRecipient


class KmsIdentity:
    """Access to the private key. Raises NotThisKind or WrongKey unless the text is such a key's address.

    The service is asked for the first time when the key's id is needed.
    """

    kinds = (KIND,)

    def __init__(self, text: str, trusted: bool = False) -> None:
        self._key = open_key(text)

    @cached_property
    def recipient(self) -> RsaRecipient:
        """The recipient that goes with it. Raises KeyUnavailable or WrongKey."""
        return RsaRecipient(self._key.public_key().pem)

    @property
    def key_id(self) -> str:
        """The public key's id. Raises KeyUnavailable or WrongKey."""
        return self.recipient.key_id

    def unwrap(self, stanza: Stanza) -> bytes:
        """Asks the service to unwrap the data key. Raises WrongKey or KeyUnavailable."""
        if len(stanza.wrapped_key) != KEY_BITS // 8:
            raise WrongKey(*DOES_NOT_UNWRAP)
        return self._key.decrypt(stanza.wrapped_key)

    def __repr__(self) -> str:
        return f"KmsIdentity({self._key!r})"


RSA_4096_IN_KMS: Final = RecipientKind("RSA-4096", None, KMS_ADDRESS_FORM, None, KmsIdentity)
