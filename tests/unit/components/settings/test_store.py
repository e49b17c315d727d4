"""What an EncryptedArtifactStore is told: further recipients are keys of any kind, as their owners have them."""

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from components.settings.store import StoreSettings
from sealift.sealing.recipients import pem
from sealift.settings import read
from tests.keys import key_pair

RSA = key_pair().recipient.pem


def problems_of(*recipients: object) -> list[str]:
    _, problems = read(StoreSettings, {"recipients": [*recipients]}, "a store")
    return [f"{problem.property} {problem.message}" for problem in problems]


def test_recipients_may_be_of_several_kinds() -> None:
    recovery = pem.public_text(X25519PrivateKey.generate().public_key())

    store, problems = read(StoreSettings, {"recipients": [RSA, recovery]}, "a store")

    assert (store.recipients, problems) == ((RSA, recovery), [])


def test_what_is_no_key_is_told_the_kinds_by_its_place() -> None:
    [problem] = problems_of(RSA, "a password")

    assert problem.startswith(
        "recipients[1] is 'a password': the key is not a public key in PEM (RSA-4096 or X25519); "
    )
    assert problem.endswith("it begins with -----BEGIN PUBLIC KEY-----")
