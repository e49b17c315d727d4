"""What an ApiKey can be told."""

from dataclasses import dataclass

from sealift.settings import kinds, setting


@dataclass(frozen=True)
class ApiKeyInputs:
    """All of an ApiKey's inputs."""

    rotation: str = setting(
        kinds.any_text, "", "A new text makes a new key; the one before it stays good as long as `overlap` says."
    )
    overlap: bool = setting(
        kinds.boolean,
        True,
        "Whether the key before the last rotation is still good. Once it was off, that key is forgotten.",
    )
