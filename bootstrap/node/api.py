"""Requests to the local node's API server, with the administrator's certificate."""

import contextlib
import datetime
import http.client
import json
import ssl

from bootstrap.console import Progress
from bootstrap.errors import BootstrapError
from bootstrap.node import configuration
from bootstrap.node.configuration import Node
from bootstrap.system import ports


def request(
    node: Node, method: str, path: str, body: object = None, *, content_type: str = "application/json"
) -> tuple[int, object]:
    """Returns status and decoded answer. Raises OSError if the API server cannot be reached."""
    trust = ssl.create_default_context(cafile=str(node.pki / "ca.crt"))
    trust.load_cert_chain(str(node.pki / "admin.crt"), str(node.pki / "admin.key"))
    connection = http.client.HTTPSConnection(ports.LOOPBACK, node.ports.api, timeout=5, context=trust)
    with contextlib.closing(connection):
        connection.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": content_type})
        reply = connection.getresponse()
        text = reply.read().decode(errors="replace")
    try:
        return reply.status, json.loads(text)
    except ValueError:
        return reply.status, text


def model_namespaces(node: Node) -> list[str]:
    """Returns the names of namespaces that a ModelDeployment has made and that are not being deleted."""
    found = _get(node, "/api/v1/namespaces?labelSelector=sealift.dev/model").get("items", [])
    metadata = [item["metadata"] for item in found] if isinstance(found, list) else []
    return sorted(one["name"] for one in metadata if "deletionTimestamp" not in one)


def _get(node: Node, path: str) -> dict[str, object]:
    """Returns the object at `path`. Empty if it does not exist or nothing answers."""
    try:
        status, found = request(node, "GET", path)
    except (OSError, http.client.HTTPException):
        return {}
    return found if status == 200 and isinstance(found, dict) else {}


def ready(node: Node) -> bool:
    try:
        return request(node, "GET", "/readyz")[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def bind_roles(node: Node) -> None:
    status, answer = request(
        node, "POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", configuration.kubelet_access()
    )
    if status not in (201, 409):
        raise BootstrapError(f"the API server refused the kubelet's role binding: {status} {answer}")


def apply(node: Node, path: str, body: object) -> None:
    """Creates the object at `path`, or sets the fields of `body` in it."""
    query = "?fieldManager=sealift-set-up&force=true"
    status, answer = request(node, "PATCH", path + query, body, content_type="application/apply-patch+yaml")
    if status not in (200, 201):
        raise BootstrapError(f"the API server refused {path}: {status} {answer}")


def serves(node: Node, api_service: str) -> bool:
    """Whether the API server reports the APIService as available."""
    status = _get(node, f"/apis/apiregistration.k8s.io/v1/apiservices/{api_service}").get("status")
    conditions = status.get("conditions", []) if isinstance(status, dict) else []
    return any(one["type"] == "Available" and one["status"] == "True" for one in conditions)


def node_ready(node: Node, since: float, progress: Progress) -> bool:
    """Whether the kubelet started at `since` (seconds of the epoch) reports Ready. A Ready from an earlier start does
    not count.
    """
    status = _get(node, f"/api/v1/nodes/{configuration.NODE}").get("status")
    conditions = status.get("conditions", []) if isinstance(status, dict) else []
    found = next((one for one in conditions if one["type"] == "Ready"), None)
    progress(f"waiting for the node: {found['message'] if found else 'not registered yet'}")
    if found is None or found["status"] != "True":
        return False
    heard = datetime.datetime.fromisoformat(found["lastHeartbeatTime"]).timestamp()  # whole seconds
    return heard >= since - 1


def has_default_account(node: Node) -> bool:
    return bool(_get(node, "/api/v1/namespaces/default/serviceaccounts/default"))
