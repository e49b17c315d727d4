"""What goes wrong with stores, said so that it can be mended.

StoreError              a sentence, then a hint line
├── ArtifactMissing     the store has no such artifact or record
├── ArtifactDamaged     what is there is not what was put there
├── Conflict            it has changed since it was read
├── LeaseLost           another process has taken the work over
├── StoreUnwritable     the store cannot be read or written: read-only, full, no permission
└── StoreUrlInvalid     the URL names no store that there is
"""


class StoreError(Exception):
    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}\nhint: {hint}" if hint else message)
        self.message = message
        self.hint = hint


class ArtifactMissing(StoreError): ...


class ArtifactDamaged(StoreError): ...


class Conflict(StoreError): ...


class LeaseLost(StoreError): ...


class StoreUnwritable(StoreError): ...


class StoreUrlInvalid(StoreError): ...
