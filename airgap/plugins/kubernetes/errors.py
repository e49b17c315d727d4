"""What goes wrong between the engine and the API server, said so that a user can act.

PluginError                  (provider.errors) a sentence, then a hint line
├── ClusterUnreachable       no API server answers, or there is no kubeconfig to find one with
├── NotSupported             a type or a setting of the official plugin that this stand-in does not serve
├── ApiRefusal               the API server answered, with an error status
└── InitializationFailed     the object is on the cluster but did not become ready; its state must be kept
"""

from collections.abc import Sequence

from airgap.plugins.kubernetes.objects import Object
from sealift.provider import PluginError

CONFLICT_HELP = (
    "somebody changed this field past the program, as `kubectl scale` or an autoscaler does, and it counts as theirs; "
    "give the program its value of now, or take it back: `pulumi config set kubernetes:enablePatchForce true`, "
    "`pulumi up`, `pulumi config rm kubernetes:enablePatchForce` (for one object alone: its annotation "
    'pulumi.com/patchForce "true")'
)


class ClusterUnreachable(PluginError):
    """No API server answers."""


class NotSupported(PluginError):
    """The official plugin serves this; the stand-in does not."""


class ApiRefusal(PluginError):
    """An error status of the API server, with its own words."""

    def __init__(self, code: int, status: Object) -> None:
        """`status` is the body: a `Status` object, or {} if it was none."""
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
    """The object was made or changed, and then did not become ready."""

    def __init__(self, message: str, live: Object, reasons: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.live = live
        self.reasons = tuple(reasons)
