"""Parsing of keys' addresses, and the list of the services. A new service is a file beside this one and a line in
SERVICES.
"""

from typing import Final
from urllib.parse import urlsplit

from sealift.sealing.errors import NotThisKind
from sealift.sealing.kms import awskms, azurekeyvault, gcpkms, hashivault
from sealift.sealing.kms.kms_key import KmsKey, KmsService, malformed

SERVICES: Final[tuple[KmsService, ...]] = (
    awskms.AWSKMS,
    azurekeyvault.AZUREKEYVAULT,
    gcpkms.GCPKMS,
    hashivault.HASHIVAULT,
)
SCHEMES: Final = tuple(f"{service.scheme}://" for service in SERVICES)
KMS_ADDRESS_FORM: Final = f"the address of a key in a KMS ({', '.join(SCHEMES)})"


def is_in_kms(text: str) -> bool:
    """Whether the text names a key in a KMS."""
    return text.strip().startswith(SCHEMES)


def open_key(text: str) -> KmsKey:
    """Makes the key that the address names. Asks no service. Raises NotThisKind, or WrongKey if the address is
    malformed.
    """
    text = text.strip()
    for service in SERVICES:
        if text.startswith(f"{service.scheme}://"):
            try:
                address = urlsplit(text)
            except ValueError:
                raise malformed(service.form) from None
            if address.username is not None or address.fragment:
                raise malformed(service.form)
            return service.open_key(address)
    raise NotThisKind(f"the key is not {KMS_ADDRESS_FORM}", f"it begins with {' or '.join(SCHEMES)}")
