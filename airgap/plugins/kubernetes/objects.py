"""Kubernetes objects as their API writes them: what they are, where they are, and how to look into one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

Object: TypeAlias = dict[str, Any]
"""An object's JSON. Its schema is the API server's business, so it is not typed further."""

AUTONAMED: Final = "pulumi.com/autonamed"
SKIP_AWAIT: Final = "pulumi.com/skipAwait"
TIMEOUT_SECONDS: Final = "pulumi.com/timeoutSeconds"
DELETION_PROPAGATION: Final = "pulumi.com/deletionPropagationPolicy"

BUILT_IN_GROUPS: Final = frozenset({"", "apps", "autoscaling", "batch", "extensions", "policy"})  # and those of k8s.io

# Built-in kinds without a namespace; a custom resource's scope is asked of the API server where it matters.
# fmt: off
CLUSTER_SCOPED: Final = frozenset({
    "APIService", "CertificateSigningRequest", "ClusterRole", "ClusterRoleBinding", "ComponentStatus", "CSIDriver",
    "CSINode", "CustomResourceDefinition", "DeviceClass", "FlowSchema", "IngressClass", "IPAddress",
    "MutatingWebhookConfiguration", "Namespace", "Node", "PersistentVolume", "PriorityClass",
    "PriorityLevelConfiguration", "RuntimeClass", "SelfSubjectAccessReview", "SelfSubjectRulesReview",
    "ServiceCIDR", "StorageClass", "SubjectAccessReview", "TokenReview", "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration", "VolumeAttachment",
    "VolumeAttributesClass",
})
# fmt: on


@dataclass(frozen=True)
class ObjectKind:
    """Which type an object is: `apps/v1`, `Deployment`."""

    api_version: str
    name: str

    @staticmethod
    def from_token(token: str) -> "ObjectKind":
        """Of a Pulumi type: `kubernetes:apps/v1:Deployment`; `core/v1` is the group that the API calls just `v1`."""
        _, api_version, name = token.split(":")
        return ObjectKind(api_version.removeprefix("core/"), name)

    @staticmethod
    def of(obj: Object) -> "ObjectKind":
        return ObjectKind(str(obj.get("apiVersion", "")), str(obj.get("kind", "")))

    @property
    def group(self) -> str:
        """ "" for the core group."""
        return self.api_version.rpartition("/")[0]

    @property
    def version(self) -> str:
        return self.api_version.rpartition("/")[2]

    @property
    def is_namespaced(self) -> bool:
        """From the list of built-in kinds, without asking anyone."""
        return self.name not in CLUSTER_SCOPED

    @property
    def is_built_in(self) -> bool:
        """Whether Kubernetes itself defines it; of others nobody here knows what their fields mean."""
        return self.group in BUILT_IN_GROUPS or self.group.endswith(".k8s.io")

    def __str__(self) -> str:
        return f"{self.api_version}/{self.name}"


def dig(obj: Any, *path: str, default: Any = None) -> Any:
    """The value at `path`, or `default` where something on the way is not there or is not a mapping."""
    for key in path:
        if not isinstance(obj, dict) or obj.get(key) is None:
            return default
        obj = obj[key]
    return obj


def name_of(obj: Object) -> str:
    return str(dig(obj, "metadata", "name", default=""))


def namespace_of(obj: Object) -> str:
    """ "" where the object says none."""
    return str(dig(obj, "metadata", "namespace", default=""))


def qualified_name(obj: Object) -> str:
    """`namespace/name`, or `name` alone: the id of a resource."""
    return "/".join(filter(None, (namespace_of(obj), name_of(obj))))


def split_id(identity: str) -> tuple[str, str]:
    """Namespace ("" for none) and name."""
    namespace, _, name = identity.rpartition("/")
    return namespace, name


def annotation(obj: Object, key: str) -> str:
    """ "" where it is not there or not known."""
    value = dig(obj, "metadata", "annotations", key, default="")
    return value if isinstance(value, str) else ""


def is_autonamed(obj: Object) -> bool:
    return annotation(obj, AUTONAMED) == "true"


def generation_of(obj: Object) -> int:
    return int(dig(obj, "metadata", "generation", default=0))


def conditions_of(obj: Object) -> dict[str, Object]:
    """The conditions of its status, by type."""
    return {condition["type"]: condition for condition in dig(obj, "status", "conditions", default=[])}


def is_owned_by(obj: Object, owner: Object) -> bool:
    """Whether a controller made `obj` for `owner`."""
    uid = dig(owner, "metadata", "uid")
    return any(reference.get("uid") == uid for reference in dig(obj, "metadata", "ownerReferences", default=[]))


def container_statuses(pod: Object) -> Iterator[Object]:
    """Of init containers first, as they run."""
    yield from dig(pod, "status", "initContainerStatuses", default=[])
    yield from dig(pod, "status", "containerStatuses", default=[])
