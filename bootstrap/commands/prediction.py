"""Requests one prediction from the deployed service: the stack's example row, over the Open Inference Protocol v2.

The request goes directly to the service if its address can be reached, otherwise through the Kubernetes API server.
"""

import json
import shlex
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bootstrap.commands import stacks
from bootstrap.console import Progress
from bootstrap.context import Context
from bootstrap.errors import BootstrapError
from bootstrap.node import configuration, node
from bootstrap.system import programs
from sealift.serving import image_layout

READY_SECONDS = 120.0
REQUEST_SECONDS = 10.0


@dataclass(frozen=True)
class DeployedService:
    """The stack's outputs about the service, and one held-out row with torch's answer."""

    url: str
    namespace: str
    """Namespace on Kubernetes. Empty if a Docker engine serves."""
    name: str
    """Name of the Service on Kubernetes, or of the container."""
    model: str
    row: list[float | str]
    expected: list[float]
    request: dict[str, object]
    """Body of an inference request for the row."""
    key: str | None = None
    """API key. None if the server requires no key."""

    @property
    def headers(self) -> dict[str, str]:
        """Headers of each request. Not Authorization, because the API server on the way would use it itself."""
        return {} if self.key is None else {"X-API-Key": self.key}


@dataclass(frozen=True)
class ServiceAnswer:
    """Answer of the service. `via` is the address that answered."""

    values: list[float]
    via: str


def parse(outputs: str) -> DeployedService:
    """Parses `pulumi stack output --json --show-secrets`. Raises BootstrapError with the names of missing outputs."""
    try:
        found = json.loads(outputs)
    except ValueError:
        raise BootstrapError("the stack's outputs could not be read", ["pulumi stack output"]) from None
    where = ("container",) if found.get("container") else ("namespace", "service")
    missing = [name for name in ("url", *where, "modelName", "example") if not found.get(name)]
    if missing:
        raise BootstrapError(f"the stack has no output {', '.join(missing)}", ["pulumi stack output"])
    example = found["example"] if isinstance(found["example"], dict) else json.loads(found["example"])
    return DeployedService(
        found["url"].rstrip("/"),
        found.get("namespace", ""),
        found[where[-1]],
        found["modelName"],
        example["inputs"][0],
        example["expected"][0],
        example.get("request") or _request(example["inputs"]),
        _key(found.get("apiKeys") or {}),
    )


def _key(keys: dict[str, str]) -> str | None:
    """Returns the key `default`, or the first key if `default` is revoked."""
    return keys.get("default") or next(iter(keys.values()), None)


def _request(rows: list[list[float]]) -> dict[str, object]:
    """Makes a request for a run of an earlier release, whose example contains no request."""
    return {"inputs": [{"name": "input", "shape": [1, len(rows[0])], "datatype": "FP32", "data": rows[0]}]}


Send = Callable[[str, str, str, dict[str, str]], tuple[int, str]]


def ask(context: Context, service: DeployedService, progress: Progress, stack: str = stacks.DEFAULT) -> ServiceAnswer:
    """Waits up to READY_SECONDS until the service is ready and accepts a new key, then sends one request."""
    ways: list[tuple[str, Send]] = [(service.url, _directly)]
    if service.namespace:
        scheme = "https:" if service.url.startswith("https://") else ""
        through = (
            f"/api/v1/namespaces/{service.namespace}/services/{scheme}{service.name}:{image_layout.PORT_NAME}/proxy"
        )
        ways.append((through, _send_through_api_server(context)))
    deadline = time.monotonic() + READY_SECONDS
    said = ""
    while time.monotonic() < deadline:
        for base, send in ways:
            model = f"{base}/v2/models/{service.model}"
            status, said = send("GET", f"{model}/ready", "", service.headers)
            if status == 200:
                status, said = send("POST", f"{model}/infer", json.dumps(service.request), service.headers)
                if status != 401:  # a kubelet updates a changed Secret within a minute or two
                    return ServiceAnswer(_values(status, said), base)
        if _is_gone(context, service, said):
            raise BootstrapError(
                f"{service.name} does not exist any more: it was removed without pulumi",
                [f"to create it again, run pulumi refresh --stack {stack}, then {stacks.make('up', stack)}"],
            )
        progress(f"waiting until the service is ready: {_reason(said)}")
        time.sleep(1)
    raise BootstrapError(
        f"the service was not ready after {READY_SECONDS:.0f} s: {_reason(said)}", _ways_to_look(context, service)
    )


def _is_gone(context: Context, service: DeployedService, said: str) -> bool:
    """Whether the container or the Service does not exist, according to the engine or the API server."""
    if not service.namespace:
        found = ["docker", "ps", "--all", "--quiet", "--filter", f"name=^/{service.name}$"]
        return programs.ask(found, env=context.variables) == ""
    try:
        return bool(json.loads(said)["reason"] == "NotFound")
    except (ValueError, KeyError, TypeError):
        return False


def _reason(said: str) -> str:
    """Returns the reason in one line. The API server sends its reason as an object."""
    try:
        return str(json.loads(said)["message"])
    except (ValueError, KeyError, TypeError):
        return said.strip()[:300]


def _ways_to_look(context: Context, service: DeployedService) -> list[str]:
    if not service.namespace:
        return [f"docker logs {service.name}"]
    if shutil.which("kubectl", path=context.variables["PATH"]):
        return [
            f"kubectl --namespace {service.namespace} get pods,events",
            f"kubectl --namespace {service.namespace} logs service/{service.name}",
        ]
    if _on_our_node(context):
        return [f"read the pods' logs: tail .tools/cluster/pod-logs/{service.namespace}_*/*/*.log"]
    return ["install kubectl and read the events and logs of the service's pods"]


def _on_our_node(context: Context) -> bool:
    return context.variables.get("KUBECONFIG") == str(context.layout.kubeconfig)


def by_hand(context: Context, service: DeployedService, via: str, request: str, headers: str) -> list[str]:
    """Returns commands that send the file `request` to the address that answered. Paths are relative to the checkout.

    `headers` is the file with the key: in a command line, the list of processes and the shell's history would show it.
    """
    infer = f"/v2/models/{service.model}/infer"
    key = f" -H @{shlex.quote(headers)}" if service.headers else ""
    data = f"-H 'Content-Type: application/json'{key} -d @{shlex.quote(request)}"
    if via == service.url:
        return [f"curl -s {via}{infer} {data}"]
    if _on_our_node(context):
        pki = ".tools/cluster/pki"
        administrator = f"--cacert {pki}/ca.crt --cert {pki}/admin.crt --key {pki}/admin.key"
        server = configuration.server(node.describe(context.layout))
        return [f"curl -s {administrator} {server}{via}{infer} {data}"]
    return [
        _forward(service),
        f"curl -s http://127.0.0.1:{image_layout.PORT}{infer} {data}  # in another terminal",
    ]


def page(context: Context, service: DeployedService, via: str) -> str:
    """Returns the URL of the server's page, after the command that makes it reachable if one is needed."""
    if via == service.url:
        return f"{via}/"
    scheme = "https" if service.url.startswith("https://") else "http"
    return f"{_forward(service)}, then {scheme}://127.0.0.1:{image_layout.PORT}/"


def _forward(service: DeployedService) -> str:
    port = f"{image_layout.PORT}:{image_layout.PORT_NAME}"
    return f"kubectl --namespace {service.namespace} port-forward service/{service.name} {port}"


def _values(status: int, body: str) -> list[float]:
    try:
        reply = json.loads(body)
        if status == 200:
            return [float(value) for value in reply["outputs"][0]["data"]]
    except (ValueError, KeyError, IndexError, TypeError):
        pass
    raise BootstrapError(f"the service answered the example row with {status}: {body.strip()[:300]}")


def _directly(method: str, url: str, body: str, headers: dict[str, str]) -> tuple[int, str]:
    """Returns status and body. If nothing answers, the status is 0 and the body the reason."""
    sent = {"Content-Type": "application/json", **headers}
    request = urllib.request.Request(url, body.encode() or None, sent, method=method)  # noqa: S310 (the stack's own address)
    try:
        # Without the environment's proxy, because the address is in the cluster.
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            request, timeout=REQUEST_SECONDS
        ) as reply:
            return reply.status, reply.read().decode(errors="replace")
    except urllib.error.HTTPError as problem:
        return problem.code, problem.read().decode(errors="replace")
    except (OSError, ValueError) as problem:
        return 0, str(problem)


def _send_through_api_server(context: Context) -> Send:
    def send(method: str, path: str, body: str, headers: dict[str, str]) -> tuple[int, str]:
        """Sends a request. Key and body go through stdin, so the list of processes does not show them."""
        argv = [str(context.layout.python), "-m", "bootstrap.commands.service_proxy", method, path]
        try:
            done = subprocess.run(
                argv,
                input=json.dumps({"headers": headers, "body": body}),
                capture_output=True,
                text=True,
                env=context.variables,
                cwd=Path(__file__).resolve().parents[2],
                timeout=3 * REQUEST_SECONDS,
                check=True,
            )
        except subprocess.TimeoutExpired:
            return 0, f"the API server did not answer within {3 * REQUEST_SECONDS:.0f} s"
        except subprocess.CalledProcessError as problem:
            raise BootstrapError(f"internal error: `{' '.join(argv[1:3])}` failed:\n{problem.stderr}") from None
        status, text = json.loads(done.stdout)
        return int(status), str(text)

    return send
