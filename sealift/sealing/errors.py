"""What goes wrong with sealed artifacts, said so that it can be mended and gives nothing secret away.

SealingError            a sentence, then a hint line
├── ArtifactCorrupt     a byte, a tag, a digest or a size is not what was sealed
├── ManifestInvalid     the manifest is not one of format version 1
├── WrongKey            none of the recipients is this key, or the key is not one that opens artifacts
│   └── NotThisKind     the text is no key of the kind that it was read as; it may be one of another
└── PinMismatch         a sound artifact, but not the one that was asked for
"""


class SealingError(Exception):
    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}\nhint: {hint}" if hint else message)
        self.message = message
        self.hint = hint


class ArtifactCorrupt(SealingError): ...


class ManifestInvalid(SealingError): ...


class WrongKey(SealingError): ...


class NotThisKind(WrongKey): ...


class PinMismatch(SealingError): ...
