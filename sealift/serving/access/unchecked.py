"""Anyone may ask for anything, as often as the server can answer: only ever by explicit choice."""

from sealift.serving.access.contract import Scope


class UncheckedAccess:
    """Access without a credential."""

    def admit(self, _credential: bytes | None, _scope: Scope, _now: float) -> str:
        """Everyone has the same name."""
        return "anyone"

    def refresh(self, _now: float) -> None:
        """There is nothing to read again."""
