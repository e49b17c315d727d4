"""Errors of sealed artifacts. Their messages say how to fix the problem and contain nothing secret.

SealingError            a sentence, then a hint line
├── ArtifactCorrupt     a byte, a tag, a digest or a size differs from what was sealed
├── ManifestInvalid     the manifest does not follow format version 1
├── WrongKey            the key is not a recipient's, or it is not a valid key for artifacts
│   └── NotThisKind     the text is not a key of the expected kind; it may be a key of another kind
├── KeyUnavailable      a key management service cannot be reached, or refuses to use the key
└── PinMismatch         the artifact is intact, but it is not the requested one
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


class KeyUnavailable(SealingError): ...


class PinMismatch(SealingError): ...
