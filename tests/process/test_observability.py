"""The alert rules, the scrape configuration and the dashboard in docs/observability, in a real Prometheus that scrapes
a real server on loopback."""

import contextlib
import http.client
import json
import shutil
import socket
import subprocess
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.process.serving_process import serving
from tests.unit.serving.access.files import KEY, api_key, digest, written
from tests.unit.serving.sockets import INFER, SECONDS
from tests.unit.serving.tiny import Files, request
from tests.unit.test_observability import FOLDER, dashboard_expressions, rules

pytestmark = pytest.mark.skipif(
    not (shutil.which("prometheus") and shutil.which("promtool")),
    reason="needs Debian's package prometheus; `make test` installs it as root",
)
SCRAPE_KEY = b"sealift_for_prometheus_alone"
SCRAPE_SECONDS = 0.2
MAY_BE_ABSENT = ("sealift_cgroup_", "sealift_input_psi", "sealift_input_mean")
"""In expressions: what a machine without cgroups or limits, or a model without a reference, does not have."""
POD = {
    "__meta_kubernetes_pod_label_app_kubernetes_io_name": "sealift",
    "__meta_kubernetes_pod_label_app_kubernetes_io_instance": "tiny-service",
    "__meta_kubernetes_pod_container_port_name": "metrics",
    "__meta_kubernetes_namespace": "models",
    "__meta_kubernetes_pod_name": "tiny-0",
}


def test_each_alert_fires_on_the_series_that_it_is_for() -> None:
    tests = Path(__file__).with_name("alerts.test.yaml")
    tested = {
        case["alertname"] for test in yaml.safe_load(tests.read_text())["tests"] for case in test["alert_rule_test"]
    }

    ran = subprocess.run(["promtool", "test", "rules", tests], capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert tested == {rule["alert"] for rule in rules() if "alert" in rule}


def test_rules_are_sound() -> None:
    words = ["promtool", "check", "rules", "--lint-fatal", str(FOLDER / "alerts.yaml")]
    ran = subprocess.run(words, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stdout + ran.stderr


class Prometheus:
    """One that is ready. It asks Kubernetes for nothing (Debian's is built without that): its targets are given, with
    the labels that Kubernetes would give them."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, path: str, **query: str) -> Any:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)) as asking:
            asking.request("GET", f"/api/v1/{path}?{urllib.parse.urlencode(query)}")
            answer = json.loads(asking.getresponse().read())
        assert answer["status"] == "success", answer
        return answer["data"]

    def found(self, expression: str) -> list[tuple[dict[str, str], float]]:
        result = self.ask("query", query=expression)["result"]
        return [(one["metric"], float(one["value"][1])) for one in result]

    def until(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """What it finds once it finds something."""
        deadline = time.monotonic() + SECONDS
        while not (found := self.found(expression)):
            assert time.monotonic() < deadline, f"nothing found in {SECONDS} s: {expression}"
            time.sleep(SCRAPE_SECONDS)
        return found


def is_ready(port: int) -> bool:
    try:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)) as asking:
            asking.request("GET", "/-/ready")
            return asking.getresponse().status == 200
    except OSError:
        return False


@contextlib.contextmanager
def scraping(folder: Path, targets: dict[str, dict[str, str]], key: bytes) -> Iterator[Prometheus]:
    """Addresses → their labels."""
    config = yaml.safe_load((FOLDER / "prometheus.yaml").read_text())
    config["global"] = {"evaluation_interval": f"{int(SCRAPE_SECONDS * 1000)}ms"}
    shutil.copy(FOLDER / "alerts.yaml", folder)
    for group in (copied := yaml.safe_load((folder / "alerts.yaml").read_text()))["groups"]:
        group.pop("interval", None)
    (folder / "alerts.yaml").write_text(yaml.safe_dump(copied))
    (scrape,) = config["scrape_configs"]
    del scrape["kubernetes_sd_configs"]
    scrape["scrape_interval"] = scrape["scrape_timeout"] = f"{int(SCRAPE_SECONDS * 1000)}ms"
    scrape["static_configs"] = [{"targets": [address], "labels": labels} for address, labels in targets.items()]
    scrape["authorization"]["credentials_file"] = str(folder / "key")
    (folder / "key").write_bytes(key)
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [
        "prometheus", f"--config.file={folder / 'prometheus.yaml'}", f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn",
    ]  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(words, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + SECONDS
        while not is_ready(port):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield Prometheus(port)
    finally:
        process.terminate()
        process.wait()


def test_prometheus_finds_reads_and_judges_a_server(tmp_path: Path) -> None:
    scraper = {"name": "prometheus", "sha256": [digest(SCRAPE_KEY)], "scopes": ["metrics"]}
    access = written(tmp_path, {"keys": [api_key(), scraper]})
    with serving(Files.write(tmp_path), access=str(access), metrics_port="0") as server:
        address = f"127.0.0.1:{server.ready['metrics_port']}"
        http_port = {**POD, "__meta_kubernetes_pod_container_port_name": "http"}
        other = {**POD, "__meta_kubernetes_pod_label_app_kubernetes_io_name": "another"}
        targets = {address: POD, f"127.0.0.1:{server.ready['port']}": http_port, "127.0.0.1:1": other}
        with scraping(tmp_path, targets, SCRAPE_KEY) as prometheus:
            prometheus.until("sealift_ready")
            with server.connect() as connection:
                until = time.monotonic() + 5 * SCRAPE_SECONDS
                while time.monotonic() < until:
                    body = json.dumps(request([[1, 2, 3], [4, 5, 6]])).encode()
                    connection.request("POST", INFER, body, {"authorization": f"Bearer {KEY.decode()}"})
                    answer = connection.getresponse()
                    assert (answer.status, len(json.loads(answer.read())["outputs"])) == (200, 1)
            ((labels, ratio),) = prometheus.until("sealift:slow_requests:ratio_rate5m >= 0")

            assert {name: labels[name] for name in ("namespace", "job")} == {
                "namespace": "models",
                "job": "tiny-service",
            }
            assert 0 <= ratio <= 1
            (target,) = prometheus.ask("targets", state="active")["activeTargets"]
            assert (target["labels"]["instance"], target["labels"]["pod"], target["health"]) == (
                address,
                "tiny-0",
                "up",
            )
            assert len(prometheus.ask("targets", state="any")["droppedTargets"]) == 2
            loaded = [rule for group in prometheus.ask("rules")["groups"] for rule in group["rules"]]
            assert [rule["name"] for rule in loaded] == [rule.get("alert") or rule["record"] for rule in rules()]
            assert {rule["health"] for rule in loaded} <= {"ok", "unknown"}
            assert "sealift:slow_requests:ratio_rate5m" in {rule["name"] for rule in loaded if rule["health"] == "ok"}
            for expression in dashboard_expressions():
                asked = (
                    expression.replace("$__rate_interval", "1m").replace("$namespace", "models").replace("$job", ".*")
                )
                look = prometheus.found if any(part in asked for part in MAY_BE_ABSENT) else prometheus.until
                look(asked)
            assert prometheus.found("ALERTS") == []

            server.process.kill()  # and nobody answers any more
            fired = prometheus.until('ALERTS{alertname="SealiftNotReady"}')

            assert [(one["job"], one["alertstate"]) for one, _ in fired] == [("tiny-service", "pending")]


def test_a_key_without_the_scope_reads_nothing(tmp_path: Path) -> None:
    access = written(tmp_path, {"keys": [api_key()]})
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(serving(Files.write(tmp_path), access=str(access), metrics_port="0"))
        address = f"127.0.0.1:{server.ready['metrics_port']}"
        prometheus = stack.enter_context(scraping(tmp_path, {address: POD}, KEY))
        prometheus.until("up == 0")
        (target,) = prometheus.ask("targets", state="active")["activeTargets"]

    assert "403" in target["lastError"]
    assert KEY.decode() not in (tmp_path / "log").read_text()
