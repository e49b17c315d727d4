"""Settings of a SealingKey."""

from dataclasses import dataclass

from components.settings.store import KMS_KEY, STORE_URL
from sealift.sealing import KEY_ALGORITHMS
from sealift.settings import kinds, setting


@dataclass(frozen=True)
class SealingKeyInputs:
    """Inputs of a SealingKey resource."""

    algorithm: str = setting(kinds.one_of(*KEY_ALGORITHMS), KEY_ALGORITHMS[0], "Algorithm of the sealing key pair.")
    key: str | None = setting(
        KMS_KEY,
        None,
        "Private key in a key management service (KMS), instead of a generated key pair. Only its public key and its "
        "address are outputs.",
    )
    rotation: str = setting(
        kinds.any_text,
        "",
        "Name of the key pair's current version, such as a date. Changing it makes a new key pair and retires the old "
        "one.",
    )
    store_url: str | None = setting(
        STORE_URL,
        None,
        "URL of the store whose artifacts may still need retired keys. If not set, retired keys are kept indefinitely.",
    )
