"""Errors of registries.

RegistryError       a sentence, then a hint line
└── ImageMissing    the repository has no such image
"""


class RegistryError(Exception):
    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}\nhint: {hint}" if hint else message)
        self.message = message
        self.hint = hint


class ImageMissing(RegistryError): ...
