"""What goes wrong in a plugin, said so that a user can act.

PluginError             a sentence, then a hint line; the engine shows it as it is, without a traceback
├── Cancelled           the user, a timeout or the engine ended the operation; the work done so far is kept
└── ResourceInitFailed  the resource was made or changed but is not ready; the engine keeps its state
"""

from collections.abc import Sequence

from sealift.provider.values import Properties


class PluginError(Exception):
    """An operation failed for a reason the user can mend."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}\nhint: {hint}" if hint else message)
        self.message = message
        self.hint = hint


class Cancelled(PluginError):
    """The operation was ended from outside; what was done so far is kept."""


class ResourceInitFailed(PluginError):
    """The resource is there but not ready: the engine keeps `state`, and the next update mends it.

    `inputs` are told by a `read` alone.
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
