"""The environment's Kubernetes cluster as the tests look at it: through the API server, with the official client."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

import kubernetes
import urllib3


@dataclass(frozen=True)
class Cluster:
    core: Any
    apps: Any

    @staticmethod
    def from_environment() -> "Cluster | None":
        """The cluster of KUBECONFIG or of the default kubeconfig, if it answers within seconds."""
        try:
            client = kubernetes.config.new_client_from_config()  # type: ignore[no-untyped-call]  # the client has no types
            core = kubernetes.client.CoreV1Api(client)
            core.list_namespace(limit=1, _request_timeout=5)
        except (kubernetes.config.ConfigException, kubernetes.client.ApiException, urllib3.exceptions.HTTPError):
            return None
        return Cluster(core, kubernetes.client.AppsV1Api(client))

    def namespaces(self) -> set[str]:
        return {item.metadata.name for item in self.core.list_namespace().items}

    def open_api(self, api_version: str) -> Any:
        """The API server's own OpenAPI document of one group and version, such as `apps/v1`."""
        root = "apis" if "/" in api_version else "api"
        api = self.core.api_client
        request = api.param_serialize("GET", f"/openapi/v3/{root}/{api_version}", auth_settings=["BearerToken"])
        return json.loads(api.call_api(*request, _request_timeout=10).read())

    def pods(self, namespace: str) -> list[Any]:
        return list(self.core.list_namespaced_pod(namespace).items)


def post(url: str, body: object, key: str, *, seconds: float = 10) -> tuple[int, Any]:
    """Status and decoded JSON of a POST with an API key, whatever the status."""
    headers = {"content-type": "application/json", "x-api-key": key}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=seconds) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def infer_request(rows: list[list[float]]) -> dict[str, object]:
    """An Open Inference Protocol request with these rows."""
    flat = [number for row in rows for number in row]
    shape = [len(rows), len(rows[0])]
    return {"inputs": [{"name": "input", "shape": shape, "datatype": "FP32", "data": flat}]}
