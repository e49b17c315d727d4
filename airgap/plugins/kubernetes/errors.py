"""Errors between the engine and the API server, with messages that say what the user can do.

PluginError                  (provider.errors) a sentence, then a hint line
├── ClusterUnreachable       no API server answers, or no kubeconfig names one
├── NotSupported             a type or a setting of the official plugin that this stand-in does not support
├── ApiRefusal               the API server answered with an error status
└── InitializationFailed     the object is on the cluster but did not become ready; its state must be kept
"""

from collections.abc import Sequence

from airgap.plugins.kubernetes.objects import Object
from sealift.provider import PluginError

CONFLICT_HELP = (
    "another tool, such as `kubectl scale` or an autoscaler, changed this field and now owns it; set its present value "
    "in the program, or overwrite it: `pulumi config set kubernetes:enablePatchForce true`, `pulumi up`, "
    "`pulumi config rm kubernetes:enablePatchForce` (for a single object: the annotation "
    'pulumi.com/patchForce "true")'
)


class ClusterUnreachable(PluginError):
    """No API server answers."""


class NotSupported(PluginError):
    """The official plugin supports this, but the stand-in does not."""


class ApiRefusal(PluginError):
    """An error status of the API server, with its message."""

    def __init__(self, code: int, status: Object) -> None:
        """`status` is the body: a `Status` object, or {} for any other body."""
        self.code = code
        self.reason = str(status.get("reason", ""))
        super().__init__(str(status.get("message") or f"the API server answered {code}"), self._hint())

    def _hint(self) -> str:
        return CONFLICT_HELP if self.code == 409 and self.reason == "Conflict" else ""

    @property
    def is_missing(self) -> bool:
        return self.code == 404

    @property
    def already_exists(self) -> bool:
        return self.code == 409 and self.reason == "AlreadyExists"


class InitializationFailed(PluginError):
    """The object was created or changed, but did not become ready."""

    def __init__(self, message: str, live: Object, reasons: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.live = live
        self.reasons = tuple(reasons)
