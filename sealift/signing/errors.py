"""Errors of signatures. Their messages say how to fix the problem and contain nothing secret.

SigningError            a sentence, then a hint line
├── SignerInvalid       the text is not a key that signs, or not one that checks signatures
├── SignatureInvalid    the signature cannot be read, was altered, or does not follow the format
├── AnotherSigner       the signature was made with a key that is not trusted here
└── SignedOther         the signature is valid, but names another artifact
"""

from typing import Final

MADE_BY: Final = "give a signature that `sealift sign` or `model_signing sign key` made"


class SigningError(Exception):
    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}\nhint: {hint}" if hint else message)
        self.message = message
        self.hint = hint


class SignerInvalid(SigningError): ...


class SignatureInvalid(SigningError):
    def __init__(self, message: str, hint: str = MADE_BY) -> None:
        super().__init__(message, hint)


class AnotherSigner(SigningError): ...


class SignedOther(SigningError): ...
