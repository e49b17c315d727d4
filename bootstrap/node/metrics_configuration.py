"""The local node's metrics-server: its flags, and the objects with which the API server passes requests on to it.

Pure, like configuration.py. metrics-server asks the kubelet what each pod uses, and serves it as metrics.k8s.io, which
a HorizontalPodAutoscaler reads. It runs on loopback beside the other components, not in a pod.
"""

from collections.abc import Iterator
from pathlib import Path

from bootstrap.node.configuration import LOOPBACK, NODE, Node

NAME = "metrics-server"
USER = "metrics-server"
"""Name of its user, its certificate and its kubeconfig."""
NAMESPACE = "kube-system"
HOST = f"{NAME}.{NAMESPACE}.svc"
"""Name under which the API server verifies its certificate."""
API_SERVICE = "v1beta1.metrics.k8s.io"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
RBAC_VERSION = "rbac.authorization.k8s.io/v1"
RESOLUTION_SECONDS = 10  # the shortest that metrics-server allows


def metrics_server(node: Node, program: Path) -> list[str]:
    """Returns its command line."""
    kubeconfig = node.kubeconfig(USER)
    flags = {
        "kubeconfig": kubeconfig,
        "authentication-kubeconfig": kubeconfig,
        "authorization-kubeconfig": kubeconfig,
        "bind-address": LOOPBACK,
        "secure-port": node.ports.metrics_server,
        "tls-cert-file": node.pki / f"{USER}.crt",
        "tls-private-key-file": node.pki / f"{USER}.key",
        # The kubelet listens on loopback, at a port of its own. The hosts file has its name.
        "kubelet-preferred-address-types": "Hostname",
        "kubelet-use-node-status-port": "true",
        "kubelet-certificate-authority": node.pki / "ca.crt",
        "metric-resolution": f"{RESOLUTION_SECONDS}s",
        "kubelet-request-timeout": f"{RESOLUTION_SECONDS // 2}s",
        "profiling": "false",
    }
    return [str(program), *(f"--{flag}={value}" for flag, value in flags.items())]


def objects(node: Node, authority: str) -> Iterator[tuple[str, dict[str, object]]]:
    """Yields paths and objects: first what metrics-server may do, then the way to it. `authority` is base64 of PEM."""
    rules = [
        {"apiGroups": [""], "resources": ["nodes/metrics"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["nodes", "pods"], "verbs": ["get", "list", "watch"]},
    ]
    yield _object(f"{RBAC}/clusterroles", RBAC_VERSION, "ClusterRole", f"sealift:{NAME}", rules=rules)
    for role in (f"sealift:{NAME}", "system:auth-delegator"):
        name, bound = f"sealift:{NAME}:{role.rpartition(':')[2]}", _bound("ClusterRole", role)
        yield _object(f"{RBAC}/clusterrolebindings", RBAC_VERSION, "ClusterRoleBinding", name, **bound)
    bound = _bound("Role", "extension-apiserver-authentication-reader")
    bindings = f"{RBAC}/namespaces/{NAMESPACE}/rolebindings"
    yield _object(bindings, RBAC_VERSION, "RoleBinding", f"sealift:{NAME}", **bound)
    # An APIService has no URL. Of a Service with an external name, the API server takes that name and the port.
    outside = {"type": "ExternalName", "externalName": NODE}
    yield _object(f"/api/v1/namespaces/{NAMESPACE}/services", "v1", "Service", NAME, spec=outside)
    group, version = "apiregistration.k8s.io/v1", API_SERVICE.partition(".")[0]
    way = {
        "group": API_SERVICE.partition(".")[2],
        "version": version,
        "service": {"name": NAME, "namespace": NAMESPACE, "port": node.ports.metrics_server},
        "caBundle": authority,
        "groupPriorityMinimum": 100,
        "versionPriority": 100,
    }
    yield _object(f"/apis/{group}/apiservices", group, "APIService", API_SERVICE, spec=way)


def _bound(kind: str, role: str) -> dict[str, object]:
    group = "rbac.authorization.k8s.io"
    return {
        "roleRef": {"apiGroup": group, "kind": kind, "name": role},
        "subjects": [{"apiGroup": group, "kind": "User", "name": USER}],
    }


def _object(folder: str, version: str, kind: str, name: str, **content: object) -> tuple[str, dict[str, object]]:
    return f"{folder}/{name}", {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **content}
