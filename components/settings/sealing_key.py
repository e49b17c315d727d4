"""What a SealingKey can be told."""

from dataclasses import dataclass

from components.settings.store import STORE_URL
from sealift.sealing import KEY_ALGORITHMS
from sealift.settings import kinds, setting


@dataclass(frozen=True)
class SealingKeyInputs:
    """All of a SealingKey's inputs."""

    algorithm: str = setting(kinds.one_of(*KEY_ALGORITHMS), KEY_ALGORITHMS[0], "Of the key pair.")
    rotation: str = setting(kinds.any_text, "", "A new text makes a new key pair and retires the old one.")
    store_url: str | None = setting(
        STORE_URL, None, "Where retired keys may still be needed; none: they are kept for ever."
    )
