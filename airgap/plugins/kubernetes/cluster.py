"""One API server, through the official Kubernetes client: the requests that resources need, in plain JSON.

All functions block and belong in a thread. Temporary errors (too many requests, an internal error, a refused or broken
connection) are retried with growing pauses for a limited time.
"""

import contextlib
import json
import os
import threading
import time
from collections.abc import Mapping
from typing import Any, Final, Literal, cast
from urllib.parse import urlencode

import urllib3
import yaml

import kubernetes
from airgap.plugins.kubernetes.configuration import (
    Configuration,
    ambient_kubeconfig,
    is_path,
    load_kubeconfig,
)
from airgap.plugins.kubernetes.errors import ApiRefusal, ClusterUnreachable
from airgap.plugins.kubernetes.objects import Object, ObjectKind

CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 60.0
RETRY_SECONDS: Final = 30.0
PAUSES_SECONDS: Final = (0.1, 0.2, 0.5, 1.0, 2.0)
PASSING: Final = frozenset({408, 429, 500, 502, 503, 504})
APPLY: Final = "application/apply-patch+yaml"
JSON_PATCH: Final = "application/json-patch+json"
IN_CLUSTER: Final = "KUBERNETES_SERVICE_HOST"  # address of the API server in a pod
MERGE_PATCH: Final = "application/merge-patch+json"
Method = Literal["GET", "POST", "PATCH", "PUT", "DELETE"]


class Cluster:
    """An API server that has answered."""

    def __init__(self, configuration: Configuration) -> None:
        """Raises ClusterUnreachable."""
        self._client, self.name = _client(configuration)
        self._kinds: dict[str, dict[str, tuple[str, bool]]] = {}
        self._lock = threading.Lock()
        self._request("GET", "/version", retry_seconds=0)

    def knows(self, kind: ObjectKind) -> bool:
        """Whether the API server serves this kind."""
        return kind.name in self._served(kind.api_version)

    def get(self, kind: ObjectKind, namespace: str, name: str) -> Object:
        """Returns an object. Raises ApiRefusal, with `is_missing` if it does not exist."""
        return self._request("GET", self._path(kind, namespace, name))

    def list_all(self, kind: ObjectKind, namespace: str, **selectors: str) -> list[Object]:
        """Returns all objects in the namespace. `selectors` are labelSelector and fieldSelector."""
        return list(self._request("GET", self._path(kind, namespace), query=selectors).get("items") or [])

    def create(self, obj: Object, *, manager: str, dry_run: bool = False) -> Object:
        """Creates an object and returns the API server's version of it."""
        return self._request("POST", self._path_of(obj, named=False), obj, query=_options(manager, dry_run=dry_run))

    def apply(self, obj: Object, *, manager: str, force: bool, dry_run: bool = False) -> Object:
        """Runs server-side apply: sets the fields of `obj` and removes other fields that `manager` applied before."""
        query = _options(manager, dry_run=dry_run) | {"force": "true" if force else "false"}
        return self._request("PATCH", self._path_of(obj), json.dumps(obj), query=query, content=APPLY)

    def json_patch(self, kind: ObjectKind, namespace: str, name: str, patch: list[Object]) -> Object:
        """Applies a JSON patch (RFC 6902)."""
        return self._request("PATCH", self._path(kind, namespace, name), patch, content=JSON_PATCH)

    def merge_patch(self, kind: ObjectKind, namespace: str, name: str, patch: Object) -> Object:
        """Applies a JSON merge patch (RFC 7386)."""
        return self._request("PATCH", self._path(kind, namespace, name), patch, content=MERGE_PATCH)

    def delete(self, kind: ObjectKind, namespace: str, name: str, *, propagation: str) -> None:
        """Requests the deletion. The object exists until its finalizers have finished."""
        self._request("DELETE", self._path(kind, namespace, name), {"propagationPolicy": propagation})

    def log_tail(self, namespace: str, pod: str, container: str, *, previous: bool, lines: int) -> str:
        """Returns the last lines of a container's log, "" if it has none."""
        query = {"container": container, "tailLines": str(lines)} | ({"previous": "true"} if previous else {})
        path = self._path(ObjectKind("v1", "Pod"), namespace, pod) + "/log"
        with contextlib.suppress(ApiRefusal, ClusterUnreachable):
            return self._send("GET", path, None, query, "application/json").decode(errors="replace")
        return ""

    def _path_of(self, obj: Object, *, named: bool = True) -> str:
        metadata = obj.get("metadata", {})
        return self._path(ObjectKind.of(obj), metadata.get("namespace") or "", metadata["name"] if named else "")

    def _path(self, kind: ObjectKind, namespace: str, name: str = "") -> str:
        if not self.knows(kind):
            self.forget(kind)
        if not self.knows(kind):
            raise ApiRefusal(404, {"message": f'no matches for kind "{kind.name}" in version "{kind.api_version}"'})
        plural, namespaced = self._served(kind.api_version)[kind.name]
        parts = [_root(kind.api_version)]
        if namespaced:
            parts += ["namespaces", namespace or "default"]
        return "/".join([*parts, plural, *filter(None, [name])])

    def _served(self, api_version: str) -> dict[str, tuple[str, bool]]:
        """Returns plural and scope of each kind of a group version. The result is cached."""
        with self._lock:
            if api_version not in self._kinds:
                try:
                    resources = self._request("GET", _root(api_version)).get("resources", [])
                except ApiRefusal as refusal:
                    if not refusal.is_missing:
                        raise
                    resources = []
                self._kinds[api_version] = {
                    entry["kind"]: (entry["name"], entry["namespaced"])
                    for entry in resources
                    if "/" not in entry["name"]
                }
            return self._kinds[api_version]

    def forget(self, kind: ObjectKind) -> None:
        """Clears the cache of a kind, which a new CustomResourceDefinition may have added."""
        with self._lock:
            self._kinds.pop(kind.api_version, None)

    def _request(
        self,
        method: Method,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        content: str = "application/json",
        retry_seconds: float = RETRY_SECONDS,
    ) -> Object:
        """Sends a request and returns the decoded answer. Raises ApiRefusal, ClusterUnreachable."""
        until = time.monotonic() + retry_seconds
        attempt = 0
        while True:
            try:
                return cast("Object", json.loads(self._send(method, path, body, query or {}, content)))
            except (ApiRefusal, ClusterUnreachable) as problem:
                if attempt and method == "POST" and isinstance(problem, ApiRefusal) and problem.already_exists:
                    return self._request("GET", f"{path}/{body['metadata']['name']}")  # an earlier attempt succeeded
                pause = PAUSES_SECONDS[min(attempt, len(PAUSES_SECONDS) - 1)]
                if not _may_pass(problem) or time.monotonic() + pause > until:
                    raise
            time.sleep(pause)
            attempt += 1

    def _send(self, method: Method, path: str, body: Any, query: Mapping[str, str], content: str) -> bytes:
        headers = {"Accept": "application/json", "Content-Type": content}
        self._client.update_params_for_auth(headers, [], ["BearerToken"], path, method, body)
        url = self._client.configuration.host + path + ("?" + urlencode(query) if query else "")
        try:
            answer = self._client.call_api(method, url, headers, body, _request_timeout=(CONNECT_SECONDS, READ_SECONDS))
            data = bytes(answer.read())
        except (urllib3.exceptions.HTTPError, kubernetes.client.ApiException) as error:
            raise unreachable(self.name, _cause(error)) from error
        if answer.status >= 400:
            raise ApiRefusal(answer.status, _status(data))
        return data


def unreachable(where: str, cause: str) -> ClusterUnreachable:
    """Returns the error with server, context and a hint."""
    return ClusterUnreachable(
        f"configured Kubernetes cluster is unreachable: {where}: {cause}",
        "start the cluster (`make setup` starts this project's own), or choose another with KUBECONFIG or "
        "`pulumi config set kubernetes:context NAME`",
    )


def _client(configuration: Configuration) -> tuple[Any, str]:
    """Returns the official client, and a description of its server and context."""
    settings = kubernetes.client.Configuration()
    settings.retries = False
    settings.connection_pool_maxsize = 32
    given = configuration.kubeconfig or ambient_kubeconfig()
    source = f"kubeconfig {given}" if is_path(given) else "the kubeconfig given as a setting"
    try:
        if not configuration.kubeconfig and not os.path.exists(given) and IN_CLUSTER in os.environ:  # noqa: PTH110
            kubernetes.config.load_incluster_config(client_configuration=settings)  # type: ignore[no-untyped-call]
            return kubernetes.client.ApiClient(settings), f"{settings.host} (in-cluster)"
        context = configuration.context or str(load_kubeconfig(given).get("current-context", ""))
        if is_path(given):
            # By its path, because it may name other files relative to its folder, and KUBECONFIG may be a list.
            path = configuration.kubeconfig or os.environ.get("KUBECONFIG") or given
            kubernetes.config.load_kube_config(path, context or None, settings, persist_config=False)  # type: ignore[no-untyped-call]
        else:
            kubernetes.config.load_kube_config_from_dict(  # type: ignore[no-untyped-call]
                load_kubeconfig(given), context or None, settings, persist_config=False
            )
    except (kubernetes.config.ConfigException, OSError, yaml.YAMLError) as error:
        raise unreachable(source, _cause(error)) from None  # its context shows the kubeconfig, which contains keys
    return kubernetes.client.ApiClient(settings), f"{settings.host} (context {context} of {source})"


def _may_pass(problem: ApiRefusal | ClusterUnreachable) -> bool:
    if isinstance(problem, ClusterUnreachable):
        return True
    return problem.code in PASSING


def _options(manager: str, *, dry_run: bool) -> dict[str, str]:
    return {"fieldManager": manager} | ({"dryRun": "All"} if dry_run else {})


def _root(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def _status(data: bytes) -> Object:
    try:
        status = json.loads(data)
    except ValueError:
        return {"message": data.decode(errors="replace")[:500]}
    return status if isinstance(status, dict) else {}


def _cause(error: Exception) -> str:
    """Returns the innermost reason, which the client wraps several times, without a kubeconfig's content."""
    if isinstance(error, yaml.YAMLError):
        return f"neither YAML nor JSON: {getattr(error, 'problem', 'it cannot be read')}"
    text = str(error)
    for known in (
        "Connection refused",
        "No such file or directory",
        "Permission denied",
        "timed out",
        "Name or service not known",
        "certificate verify failed",
    ):
        if known in text:
            return known
    return text.strip().splitlines()[-1] if text.strip() else type(error).__name__
