"""Settings of an ApiKey."""

from dataclasses import dataclass

from sealift.settings import kinds, setting


@dataclass(frozen=True)
class ApiKeyInputs:
    """Inputs of an ApiKey resource."""

    rotation: str = setting(
        kinds.any_text,
        "",
        "Name of the key's current version, such as a date. Changing it makes a new key. The previous key stays valid "
        "while `overlap` is true.",
    )
    overlap: bool = setting(
        kinds.boolean,
        True,
        "Whether the key before the last rotation stays valid. Set it to false when all clients use the new key. The "
        "old key is then forgotten.",
    )
