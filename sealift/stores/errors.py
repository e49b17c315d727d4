"""Errors of stores. Their messages say how to fix the problem.

StoreError              a sentence, then a hint line
├── ArtifactMissing     the store has no such artifact or record
│   └── ArtifactErased  it was erased; its tombstone says when and why
├── ArtifactDamaged     the stored content differs from what was stored
├── Conflict            the content has changed since it was read
├── KeysUnusable        the store of artifacts' own keys is not given, or it is not fit for them
├── LeaseLost           another process has taken over the work
├── StoreUnwritable     the store cannot be read or written
│   ├── StoreForbidden  this user may not do that in it, or nobody may write there
│   └── StoreFull       there is no space, or its quota is used up
└── StoreUrlInvalid     the URL does not name a supported store
"""


class StoreError(Exception):
    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}\nhint: {hint}" if hint else message)
        self.message = message
        self.hint = hint


class ArtifactMissing(StoreError): ...


class ArtifactErased(ArtifactMissing): ...


class ArtifactDamaged(StoreError): ...


class Conflict(StoreError): ...


class KeysUnusable(StoreError): ...


class LeaseLost(StoreError): ...


class StoreUnwritable(StoreError): ...


class StoreForbidden(StoreUnwritable): ...


class StoreFull(StoreUnwritable): ...


class StoreUrlInvalid(StoreError): ...
