"""Errors of a plugin, with messages that the user can act on.

PluginError             a message, then a hint line, which the engine shows without a traceback
├── Cancelled           the user, a timeout or the engine ended the operation; the work done so far is kept
└── ResourceInitFailed  the resource was created or updated but is not ready; the engine keeps its state
"""

from collections.abc import Sequence

from sealift.provider.values import Properties


class PluginError(Exception):
    """An operation failed for a reason that the user can fix."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}\nhint: {hint}" if hint else message)
        self.message = message
        self.hint = hint


class Cancelled(PluginError):
    """The operation was cancelled. The work done so far is kept."""


class ResourceInitFailed(PluginError):
    """The resource exists but is not ready. The engine keeps `state`, and the next update repairs it.

    Only a `read` sets `inputs`.
    """

    def __init__(
        self,
        message: str,
        resource_id: str,
        state: Properties,
        reasons: Sequence[str],
        inputs: Properties | None = None,
    ) -> None:
        super().__init__(message)
        self.resource_id = resource_id
        self.state = state
        self.reasons = [message, *reasons]
        self.inputs = inputs
