"""Fields that cannot change in place, by kind: the official plugin's table (its provider/diff.go, release 4.32)."""

from typing import Final

from airgap.plugins.kubernetes.inputs import is_config_map, is_secret
from airgap.plugins.kubernetes.objects import Object, ObjectKind

Path = tuple[str | int, ...]
ANY: Final = "*"  # every element of a list

IDENTITY: Final = ("metadata.name", "metadata.namespace")
JOB: Final = ("spec.completions", "spec.parallelism", "spec.selector", "spec.template")
ROLE_BINDING: Final = ("roleRef",)
SELECTOR: Final = ("spec.selector",)
STATEFUL_SET: Final = (
    "spec.podManagementPolicy",
    "spec.revisionHistoryLimit",
    "spec.selector",
    "spec.serviceName",
    "spec.volumeClaimTemplates",
)
# fmt: off
CONTAINER: Final = (
    "args", "command", "env", "image", "imagePullPolicy", "lifecycle", "livenessProbe", "ports", "readinessProbe",
    "resources", "securityContext", "stdin", "stdinOnce", "terminationMessagePath", "terminationMessagePolicy",
    "tty", "volumeDevices", "volumeMounts", "workingDir",
)
POD: Final = (
    "affinity", "automountServiceAccountToken", "dnsConfig", "dnsPolicy", "enableServiceLinks", "hostAliases",
    "hostIPC", "hostNetwork", "hostPID", "hostname", "imagePullSecrets", "nodeName", "nodeSelector", "overhead",
    "preemptionPolicy", "priority", "priorityClassName", "readinessGates", "restartPolicy", "runtimeClassName",
    "schedulerName", "securityContext", "serviceAccount", "serviceAccountName", "shareProcessNamespace",
    "subdomain", "terminationGracePeriodSeconds", "volumes",
)
PERSISTENT_VOLUME: Final = (
    "awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "fc", "flexVolume", "flocker",
    "gcePersistentDisk", "glusterfs", "hostPath", "iscsi", "local", "nfs", "photonPersistentDisk", "portworxVolume",
    "quobyte", "rbd", "scaleIO", "storageos", "vsphereVolume",
)
# fmt: on

FIXED: Final[dict[ObjectKind, tuple[str, ...]]] = {
    ObjectKind("apps/v1", "DaemonSet"): SELECTOR,
    ObjectKind("apps/v1", "Deployment"): SELECTOR,
    ObjectKind("apps/v1", "StatefulSet"): STATEFUL_SET,
    ObjectKind("batch/v1", "Job"): JOB,
    ObjectKind("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"): ROLE_BINDING,
    ObjectKind("rbac.authorization.k8s.io/v1", "RoleBinding"): ROLE_BINDING,
    ObjectKind("storage.k8s.io/v1", "StorageClass"): ("parameters", "provisioner"),
    ObjectKind("v1", "PersistentVolume"): tuple(f"spec.{field}" for field in PERSISTENT_VOLUME),
    ObjectKind("v1", "PersistentVolumeClaim"): (
        "spec.accessModes",
        "spec.selector",
        "spec.storageClassName",
        "spec.volumeName",
    ),
    ObjectKind("v1", "Pod"): (
        *(f"spec.{field}" for field in POD),
        *(f"spec.{of}.*.{field}" for of in ("containers", "initContainers") for field in CONTAINER),
    ),
    ObjectKind("v1", "ResourceQuota"): ("spec.scopes",),
    ObjectKind("v1", "Secret"): ("type",),
    ObjectKind("v1", "Service"): ("spec.clusterIP",),
}


def fixed_fields(inputs: Object, *, mutable_config_maps: bool = False, mutable_secrets: bool = False) -> list[Path]:
    """Returns the paths whose change replaces the object. The contents of a ConfigMap or Secret are fixed unless the
    provider's configuration makes them mutable.
    """
    dotted = [*IDENTITY, *FIXED.get(ObjectKind.of(inputs), ())]
    immutable = bool(inputs.get("immutable"))
    if is_secret(inputs) and (immutable or not mutable_secrets):
        dotted += ["stringData", "data"]
    if is_config_map(inputs) and (immutable or not mutable_config_maps):
        dotted += ["binaryData", "data"]
    return [tuple(path.split(".")) for path in dotted]
