"""No access control: anyone may send any request, without a rate limit. Only used by explicit choice."""

from sealift.serving.access.contract import Scope


class UncheckedAccess:
    """Access without a credential."""

    def admit(self, _credential: bytes | None, _scope: Scope, _now: float) -> str:
        """Returns the same name for everyone."""
        return "anyone"

    def refresh(self, _now: float) -> None:
        """Does nothing: no file can change."""
