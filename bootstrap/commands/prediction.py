"""Asks the deployed service for one prediction: the stack's example row, over the Open Inference Protocol v2.

Directly where its address can be reached, else through the Kubernetes API server (a service of a cluster elsewhere).
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
    """What the stack exports of it, and one row that the model has not been trained on, with the answer the data
    gives.
    """

    url: str
    namespace: str
    """On Kubernetes; empty where a Docker engine serves."""
    name: str
    """Of the Service on Kubernetes, or of the container."""
    model: str
    row: list[float | str]
    expected: list[float]
    request: dict[str, object]
    """Body of an inference request for the row."""
    key: str | None = None
    """API key; None where the server asks for none."""

    @property
    def headers(self) -> dict[str, str]:
        """Of each request. Not Authorization: the API server, on the way, takes that for its own."""
        return {} if self.key is None else {"X-API-Key": self.key}


@dataclass(frozen=True)
class ServiceAnswer:
    """`via` is the address that answered."""

    values: list[float]
    via: str


def parse(outputs: str) -> DeployedService:
    """From `pulumi stack output --json --show-secrets`. Raises BootstrapError that names the output that is missing."""
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
    """The key that is there unless others are named, or the first of those."""
    return keys.get("default") or next(iter(keys.values()), None)


def _request(rows: list[list[float]]) -> dict[str, object]:
    """For a run of an earlier release, whose example does not say it."""
    return {"inputs": [{"name": "input", "shape": [1, len(rows[0])], "datatype": "FP32", "data": rows[0]}]}


Send = Callable[[str, str, str, dict[str, str]], tuple[int, str]]


def ask(context: Context, service: DeployedService, progress: Progress, stack: str = stacks.DEFAULT) -> ServiceAnswer:
    """Waits up to READY_SECONDS for readiness, and for pods that have not been given a new key yet, then asks once."""
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
                if status != 401:  # a kubelet hands a changed Secret on within a minute or two
                    return ServiceAnswer(_values(status, said), base)
        if _is_gone(context, service, said):
            raise BootstrapError(
                f"{service.name} is not there any more: somebody else than pulumi has removed it",
                [f"pulumi refresh --stack {stack}, then {stacks.make('up', stack)}: makes anew what is gone"],
            )
        progress(f"waiting until the service is ready: {_reason(said)}")
        time.sleep(1)
    raise BootstrapError(
        f"the service did not get ready in {READY_SECONDS:.0f} s: {_reason(said)}", _ways_to_look(context, service)
    )


def _is_gone(context: Context, service: DeployedService, said: str) -> bool:
    """Whether the container, or the Service, does not exist, as its engine or the API server says."""
    if not service.namespace:
        found = ["docker", "ps", "--all", "--quiet", "--filter", f"name=^/{service.name}$"]
        return programs.ask(found, env=context.variables) == ""
    try:
        return bool(json.loads(said)["reason"] == "NotFound")
    except (ValueError, KeyError, TypeError):
        return False


def _reason(said: str) -> str:
    """In one line; the API server packs its own into an object."""
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
        return [f"what its pods say: tail .tools/cluster/pod-logs/{service.namespace}_*/*/*.log"]
    return ["install kubectl and look at the service's pods and events"]


def _on_our_node(context: Context) -> bool:
    return context.variables.get("KUBECONFIG") == str(context.layout.kubeconfig)


def by_hand(context: Context, service: DeployedService, via: str, request: str, headers: str) -> list[str]:
    """Command lines that send the file `request` to where the answer came from, for the checkout's folder.

    `headers` is the file that has the key: in a command line it would be in the list of processes and in the history.
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
    """Where a browser finds the server's page."""
    if via == service.url:
        return f"{via}/"
    scheme = "https" if service.url.startswith("https://") else "http"
    return f"{scheme}://127.0.0.1:{image_layout.PORT}/ while this runs: {_forward(service)}"


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
    """Status and body; status 0 and the reason where nobody answers."""
    sent = {"Content-Type": "application/json", **headers}
    request = urllib.request.Request(url, body.encode() or None, sent, method=method)  # noqa: S310 (the stack's own address)
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


def _send_through_api_server(context: Context) -> Send:
    def send(method: str, path: str, body: str, headers: dict[str, str]) -> tuple[int, str]:
        """Key and body travel by stdin: neither is in a list of processes."""
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
            return 0, f"the API server does not answer within {3 * REQUEST_SECONDS:.0f} s"
        except subprocess.CalledProcessError as problem:
            raise BootstrapError(f"internal error: `{' '.join(argv[1:3])}` failed:\n{problem.stderr}") from None
        status, text = json.loads(done.stdout)
        return int(status), str(text)

    return send
