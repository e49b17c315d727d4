"""The objects on Kubernetes, as plain camelCase dictionaries that `ModelDeployment` passes to its provider.

Pure: no Pulumi, no Kubernetes client. Leaves typed `object` are passed on unchanged, so they may be unknown values.

The pods meet the restricted Pod Security profile (kubernetes.io/docs/concepts/security/pod-security-standards). A
rolling update loses no request: a replacement is ready before an old pod stops, and an old pod keeps serving for
DRAIN_SECONDS after its removal from the endpoints, until every node's kube-proxy has noticed. The kubelet does that
sleep (Kubernetes 1.30 and later), so the image needs no shell.
"""

from collections.abc import Mapping
from typing import Any, Final

from components.object_labels import selector_labels
from components.quota import SURGE_PODS, PodResources, hard_limits
from components.server_files import ServerFolder, folders_of
from components.server_version import ServerVersion
from components.settings.deployment import DeploymentSettings
from components.settings.server import LET_IN
from sealift.serving import image_layout

Spec = dict[str, object]
"""Part of a Kubernetes object, in the API's own camelCase."""

DRAIN_SECONDS: Final = 5  # kube-proxy notices an endpoint's removal within two seconds, on a busy node too
STOP_SECONDS: Final = 25  # for requests in flight after the drain; the sum is Kubernetes' default of 30
START_SECONDS: Final = (
    120  # to open the artifact and load the model: a gigabyte opens in a second, but disks may be slow
)


def pod_security_labels() -> dict[str, str]:
    """Returns the Namespace's labels: pods that violate the restricted profile are refused, warned of and audited."""
    return {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")}


def resource_quota(settings: DeploymentSettings) -> Spec:
    """Returns the ResourceQuota's spec."""
    return {"hard": hard_limits(settings.quota, settings.most_replicas, settings.pod)}


def limit_range(pod: PodResources) -> Spec:
    """Returns the LimitRange's spec: default resources for other pods, such as debugging pods. The quota refuses pods
    without resources.
    """
    resources = _resources(pod)
    return {"limits": [{"type": "Container", "default": resources["limits"], "defaultRequest": resources["requests"]}]}


def service_annotations(settings: DeploymentSettings) -> dict[str, str]:
    """Returns the Service's annotations. The next preview reads them to find keys that an update locks out."""
    return {} if settings.auth == "none" else {LET_IN: settings.let_in}


def service(settings: DeploymentSettings, *instances: str) -> Spec:
    """Returns the spec of the Service for the pods of these versions."""
    port: Spec = {
        "name": image_layout.PORT_NAME,
        "port": image_layout.PORT,
        "targetPort": image_layout.PORT_NAME,
        "protocol": "TCP",
    }
    if settings.node_port:
        port["nodePort"] = settings.node_port
    ports = [port, *_grpc_ports(settings)]
    if settings.exposure == "nodePort":  # it opens every port of the Service on every node, so metrics are left out
        return {"type": "NodePort", "selector": selector_labels(*instances), "ports": ports}
    return {
        "type": "ClusterIP",
        "selector": selector_labels(*instances),
        "ports": [*ports, _metrics_port()],
    }


def _grpc_ports(settings: DeploymentSettings) -> list[Spec]:
    name = image_layout.GRPC_PORT_NAME
    port: Spec = {
        "name": name,
        "port": image_layout.GRPC_PORT,
        "targetPort": name,
        "protocol": "TCP",
        "appProtocol": "kubernetes.io/h2c",
    }
    return [port] if settings.grpc else []


def _metrics_port() -> Spec:
    name = image_layout.METRICS_PORT_NAME
    return {"name": name, "port": image_layout.METRICS_PORT, "targetPort": name, "protocol": "TCP"}


def deployment(
    settings: DeploymentSettings,
    version: ServerVersion,
    *,
    replicas: int | None,
    labels: object,
    object_names: Mapping[str, object],
    service_account: object,
) -> Spec:
    """Returns the Deployment's spec. `replicas` is None if another controller sets it, such as a
    HorizontalPodAutoscaler. The other parameters are those of `pod_template`.
    """
    return {
        **({} if replicas is None else {"replicas": replicas}),
        "selector": {"matchLabels": selector_labels(version.name)},
        # An update deletes the manifest and the key of the model that it replaces, so older revisions could not start.
        # To go back, restore the stack's earlier config: it uses the sealed artifact again.
        "revisionHistoryLimit": 0,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": SURGE_PODS}},
        "template": pod_template(
            settings, version, labels=labels, object_names=object_names, service_account=service_account
        ),
    }


def pod_template(
    settings: DeploymentSettings,
    version: ServerVersion,
    *,
    labels: object,
    object_names: Mapping[str, object],
    service_account: object,
) -> Spec:
    """Returns the pod template of one version. `object_names` are the names of the ConfigMap or Secret on the cluster
    for each of the server's folders, by folder name.
    """
    return {
        "metadata": {"labels": labels, "annotations": _pod_annotations(settings, version)},
        "spec": {
            "serviceAccountName": service_account,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,  # no environment variables about other services
            "terminationGracePeriodSeconds": DRAIN_SECONDS + STOP_SECONDS,
            "securityContext": _pod_security_context(),
            "containers": [_container(settings, version)],
            "volumes": [_volume(folder, object_names[folder.name]) for folder in folders_of(settings)],
        },
    }


def _pod_annotations(settings: DeploymentSettings, version: ServerVersion) -> Spec:
    return {
        "sealift.dev/artifact-id": version.artifact_id,
        "sealift.dev/payload-digest": version.payload_digest,
        # A Prometheus that is set up like its own example for Kubernetes finds pods by these annotations.
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(image_layout.METRICS_PORT),
        "prometheus.io/path": image_layout.METRICS_PATH,
        "prometheus.io/scheme": settings.scheme,
    }


def _volume(folder: ServerFolder, object_name: object) -> Spec:
    if not folder.secret:
        return {"name": folder.name, "configMap": {"name": object_name, "defaultMode": 0o444}}
    # The group can read it because of fsGroup. No other user can read it, and none can write it.
    return {"name": folder.name, "secret": {"secretName": object_name, "defaultMode": 0o440}}


def _pod_security_context() -> Spec:
    return {
        "runAsNonRoot": True,
        "runAsUser": image_layout.USER_ID,
        "runAsGroup": image_layout.USER_ID,
        "fsGroup": image_layout.USER_ID,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def _container(settings: DeploymentSettings, version: ServerVersion) -> Spec:
    return {
        "name": "server",
        "image": version.image,
        "imagePullPolicy": "IfNotPresent",  # a digest always means the same image
        "args": version.arguments(settings),
        "ports": [
            {"name": image_layout.PORT_NAME, "containerPort": image_layout.PORT, "protocol": "TCP"},
            *(
                [{"name": image_layout.GRPC_PORT_NAME, "containerPort": image_layout.GRPC_PORT, "protocol": "TCP"}]
                if settings.grpc
                else []
            ),
            {"name": image_layout.METRICS_PORT_NAME, "containerPort": image_layout.METRICS_PORT, "protocol": "TCP"},
        ],
        "resources": _resources(settings.pod),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "startupProbe": _probe(settings, "live", period_seconds=1, timeout_seconds=1, failure_threshold=START_SECONDS),
        "readinessProbe": _probe(settings, "ready", period_seconds=2, timeout_seconds=2, failure_threshold=2),
        # Slow to kill: a restart loses the requests in flight and rarely helps a busy server.
        "livenessProbe": _probe(settings, "live", period_seconds=10, timeout_seconds=5, failure_threshold=3),
        "lifecycle": {"preStop": {"sleep": {"seconds": DRAIN_SECONDS}}},
        "volumeMounts": [
            {"name": folder.name, "mountPath": folder.path, "readOnly": True} for folder in folders_of(settings)
        ],
    }


def _resources(pod: PodResources) -> dict[str, Spec]:
    return {
        "requests": {"cpu": pod.cpu_request.text, "memory": pod.memory_request.text},
        "limits": {"cpu": pod.cpu_limit.text, "memory": pod.memory_limit.text},
    }


def _probe(
    settings: DeploymentSettings, endpoint: str, *, period_seconds: int, timeout_seconds: int, failure_threshold: int
) -> Spec:
    scheme = settings.scheme.upper()  # the kubelet does not verify certificates
    return {
        "httpGet": {"path": f"/v2/health/{endpoint}", "port": image_layout.PORT_NAME, "scheme": scheme},
        "periodSeconds": period_seconds,
        "timeoutSeconds": timeout_seconds,
        "failureThreshold": failure_threshold,
    }


def url(settings: DeploymentSettings, *, service_name: str, namespace: str) -> str:
    """Returns the model's URL: on this machine's loopback if a node port is set, otherwise inside the cluster."""
    if settings.exposure == "nodePort" and settings.node_port:
        return f"{settings.scheme}://127.0.0.1:{settings.node_port}"
    return f"{settings.scheme}://{service_name}.{namespace}.svc:{image_layout.PORT}"


def grpc_address(settings: DeploymentSettings, *, service_name: str, namespace: str, spec: Any) -> str | None:
    """Returns the gRPC address, or None without gRPC. `spec` is the cluster's Service spec, with the node port that
    Kubernetes chose.
    """
    if not settings.grpc:
        return None
    if settings.exposure == "cluster":
        return f"{service_name}.{namespace}.svc:{image_layout.GRPC_PORT}"
    return next(
        f"127.0.0.1:{port['node_port']}" for port in spec["ports"] if port["name"] == image_layout.GRPC_PORT_NAME
    )
