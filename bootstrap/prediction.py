"""Asks the deployed service for one prediction: the stack's example row, over the Open Inference Protocol v2.

Directly where its address can be reached, else through the Kubernetes API server (a service of a cluster elsewhere).
"""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass

from bootstrap import programs
from bootstrap.console import Progress
from bootstrap.context import Context
from bootstrap.errors import BootstrapError

READY_SECONDS = 120.0
REQUEST_SECONDS = 10.0
# Status and body of a request to a service by way of the API server, by the official client; arguments: method, path,
# body.
THROUGH_API_SERVER = """
import json, sys
from kubernetes import client, config
config.load_kube_config()
method, path, body = sys.argv[1:]
try:
    reply = client.ApiClient().call_api(
        path, method, header_params={"Content-Type": "application/json"}, body=json.loads(body) if body else None,
        auth_settings=["BearerToken"], _preload_content=False, _return_http_data_only=True, _request_timeout=10)
    print(json.dumps([reply.status, reply.data.decode()]))
except client.ApiException as problem:
    body = problem.body or problem.reason or ""
    print(json.dumps([problem.status, body.decode() if isinstance(body, bytes) else str(body)]))
"""


@dataclass(frozen=True)
class Service:
    """What the stack exports of it, and one row that the model has not been trained on, with the answer the data
    gives.
    """

    url: str
    namespace: str
    name: str
    model: str
    row: list[float]
    expected: list[float]

    def request(self) -> dict[str, object]:
        """Body of an inference request for the row."""
        return {"inputs": [{"name": "input", "shape": [1, len(self.row)], "datatype": "FP32", "data": self.row}]}


@dataclass(frozen=True)
class Answer:
    """`via` is the address that answered."""

    values: list[float]
    via: str


def parse(outputs: str) -> Service:
    """From `pulumi stack output --json --show-secrets`. Raises BootstrapError that names the output that is missing."""
    try:
        found = json.loads(outputs)
    except ValueError:
        raise BootstrapError("the stack's outputs could not be read", ["pulumi stack output"]) from None
    missing = [name for name in ("url", "namespace", "service", "modelName", "example") if not found.get(name)]
    if missing:
        raise BootstrapError(f"the stack has no output {', '.join(missing)}", ["pulumi stack output"])
    example = found["example"] if isinstance(found["example"], dict) else json.loads(found["example"])
    return Service(
        found["url"].rstrip("/"),
        found["namespace"],
        found["service"],
        found["modelName"],
        example["inputs"][0],
        example["expected"][0],
    )


Send = Callable[[str, str, str], tuple[int, str]]


def ask(context: Context, service: Service, progress: Progress) -> Answer:
    """Waits up to READY_SECONDS for readiness, then asks once."""
    through = f"/api/v1/namespaces/{service.namespace}/services/{service.name}/proxy"
    ways: list[tuple[str, Send]] = [(service.url, _directly), (through, _through_api_server(context))]
    deadline = time.monotonic() + READY_SECONDS
    said = ""
    while time.monotonic() < deadline:
        for base, send in ways:
            status, said = send("GET", f"{base}/v2/models/{service.model}/ready", "")
            if status == 200:
                return Answer(
                    _values(*send("POST", f"{base}/v2/models/{service.model}/infer", json.dumps(service.request()))),
                    base,
                )
        progress(f"waiting until the service is ready: {said}")
        time.sleep(1)
    raise BootstrapError(
        f"the service did not get ready in {READY_SECONDS:.0f} s: {said.strip()[:300]}",
        [
            f"kubectl --namespace {service.namespace} get pods,events",
            f"kubectl --namespace {service.namespace} logs service/{service.name}",
        ],
    )


def _values(status: int, body: str) -> list[float]:
    try:
        reply = json.loads(body)
        if status == 200:
            return [float(value) for value in reply["outputs"][0]["data"]]
    except (ValueError, KeyError, IndexError, TypeError):
        pass
    raise BootstrapError(f"the service answered the example row with {status}: {body.strip()[:300]}")


def _directly(method: str, url: str, body: str) -> tuple[int, str]:
    """Status and body; status 0 and the reason where nobody answers."""
    request = urllib.request.Request(url, body.encode() or None, {"Content-Type": "application/json"}, method=method)  # noqa: S310 (the stack's own address)
    try:
        # No proxy of the environment: the address is the cluster's.
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            request, timeout=REQUEST_SECONDS
        ) as reply:
            return reply.status, reply.read().decode(errors="replace")
    except urllib.error.HTTPError as problem:
        return problem.code, problem.read().decode(errors="replace")
    except (OSError, ValueError) as problem:
        return 0, str(problem)


def _through_api_server(context: Context) -> Send:
    def send(method: str, path: str, body: str) -> tuple[int, str]:
        argv = [str(context.layout.python), "-c", THROUGH_API_SERVER, method, path, body]
        said = programs.ask(argv, env=context.variables, timeout_seconds=3 * REQUEST_SECONDS)
        if said is None:
            return 0, "the API server does not answer"
        status, text = json.loads(said)
        return int(status), str(text)

    return send
