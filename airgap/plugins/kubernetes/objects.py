"""Kubernetes objects in the API's form: their kind, their place, and access to their fields."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

Object: TypeAlias = dict[str, Any]
"""An object's JSON. The API server checks its schema, so it is not typed further."""

AUTONAMED: Final = "pulumi.com/autonamed"
SKIP_AWAIT: Final = "pulumi.com/skipAwait"
TIMEOUT_SECONDS: Final = "pulumi.com/timeoutSeconds"
DELETION_PROPAGATION: Final = "pulumi.com/deletionPropagationPolicy"

BUILT_IN_GROUPS: Final = frozenset(
    {"", "apps", "autoscaling", "batch", "extensions", "policy"}
)  # and groups ending in k8s.io

# Built-in kinds without a namespace. The API server knows the scope of custom resources.
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
    """Kind of an object, such as `apps/v1`, `Deployment`."""

    api_version: str
    name: str

    @staticmethod
    def from_token(token: str) -> "ObjectKind":
        """Parses a Pulumi type, such as `kubernetes:apps/v1:Deployment`. Pulumi's `core/v1` is the API's `v1`."""
        _, api_version, name = token.split(":")
        return ObjectKind(api_version.removeprefix("core/"), name)

    @staticmethod
    def of(obj: Object) -> "ObjectKind":
        return ObjectKind(str(obj.get("apiVersion", "")), str(obj.get("kind", "")))

    @property
    def group(self) -> str:
        """Group of the API, "" for the core group."""
        return self.api_version.rpartition("/")[0]

    @property
    def version(self) -> str:
        return self.api_version.rpartition("/")[2]

    @property
    def is_namespaced(self) -> bool:
        """Whether the kind has a namespace, according to the list of built-in kinds."""
        return self.name not in CLUSTER_SCOPED

    @property
    def is_built_in(self) -> bool:
        """Whether Kubernetes itself defines the kind. The meaning of other kinds' fields is unknown here."""
        return self.group in BUILT_IN_GROUPS or self.group.endswith(".k8s.io")

    def __str__(self) -> str:
        return f"{self.api_version}/{self.name}"


def dig(obj: Any, *path: str, default: Any = None) -> Any:
    """Returns the value at `path`, or `default` if a part of the path is missing or not a mapping."""
    for key in path:
        if not isinstance(obj, dict) or obj.get(key) is None:
            return default
        obj = obj[key]
    return obj


def name_of(obj: Object) -> str:
    return str(dig(obj, "metadata", "name", default=""))


def namespace_of(obj: Object) -> str:
    """Returns the object's namespace, "" if it sets none."""
    return str(dig(obj, "metadata", "namespace", default=""))


def qualified_name(obj: Object) -> str:
    """Returns the id of a resource: `namespace/name`, or only `name`."""
    return "/".join(filter(None, (namespace_of(obj), name_of(obj))))


def split_id(identity: str) -> tuple[str, str]:
    """Splits a resource's id into namespace ("" for none) and name."""
    namespace, _, name = identity.rpartition("/")
    return namespace, name


def annotation(obj: Object, key: str) -> str:
    """Returns the annotation's value, "" if it is missing or unknown."""
    value = dig(obj, "metadata", "annotations", key, default="")
    return value if isinstance(value, str) else ""


def is_autonamed(obj: Object) -> bool:
    return annotation(obj, AUTONAMED) == "true"


def generation_of(obj: Object) -> int:
    return int(dig(obj, "metadata", "generation", default=0))


def conditions_of(obj: Object) -> dict[str, Object]:
    """Returns the conditions of the object's status, by type."""
    return {condition["type"]: condition for condition in dig(obj, "status", "conditions", default=[])}


def is_owned_by(obj: Object, owner: Object) -> bool:
    """Whether a controller created `obj` for `owner`."""
    uid = dig(owner, "metadata", "uid")
    return any(reference.get("uid") == uid for reference in dig(obj, "metadata", "ownerReferences", default=[]))


def container_statuses(pod: Object) -> Iterator[Object]:
    """Yields the container statuses, init containers first."""
    yield from dig(pod, "status", "initContainerStatuses", default=[])
    yield from dig(pod, "status", "containerStatuses", default=[])
