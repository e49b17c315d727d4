"""A single key, made when the server starts and shown once, for a model that is tried on one's own machine."""

import secrets
from hashlib import sha256
from hmac import compare_digest

from sealift.serving.access.contract import Scope
from sealift.serving.errors import Unauthenticated


class OneKey:
    """Access with `key`. Only its digest is kept."""

    def __init__(self, key: str) -> None:
        self._digest = sha256(key.encode()).digest()

    def admit(self, credential: bytes | None, _scope: Scope, _now: float) -> str:
        """Returns the same name for every client with the key. Raises Unauthenticated."""
        if credential is None or not compare_digest(sha256(credential).digest(), self._digest):
            raise Unauthenticated(
                "this request needs the key that was shown when the server started; send it as X-API-Key"
            )
        return "key"

    def refresh(self, _now: float) -> None:
        """Does nothing: no file can change."""


def new_key() -> str:
    """Makes a key of 256 random bits, in the form of all Sealift keys."""
    return f"sealift_{secrets.token_urlsafe(32)}"
