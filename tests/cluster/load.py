"""Clients that ask a deployed model for its example row, and the number of pods that answer them."""

import http.client
import json
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any, Final, Self
from urllib.parse import urlsplit

from tests.cluster.cluster import Cluster
from tests.stack import Stack

WITHIN_SECONDS: Final = 180


class Load:
    """Requests of `clients` clients, each with a connection of its own so that every pod gets its share."""

    def __init__(self, stack: Stack, *, clients: int = 1, pause_seconds: float = 0.01) -> None:
        outputs = stack.outputs(secrets=True)
        self._host = urlsplit(outputs["url"]).netloc
        self._path = f"/v2/models/{outputs['modelName']}/infer"
        self._body = json.dumps(outputs["example"]["request"])
        self._headers = {"content-type": "application/json", "x-api-key": outputs["apiKeys"]["default"]}
        self._pause_seconds = pause_seconds
        self._done = threading.Event()
        self._clients = [threading.Thread(target=self._send) for _ in range(clients)]
        self.failures: list[str] = []
        self.answered = 0

    def _send(self) -> None:
        while not self._done.wait(self._pause_seconds):
            connection = http.client.HTTPConnection(self._host, timeout=30)
            try:
                connection.request("POST", self._path, self._body, self._headers)
                status = connection.getresponse().status
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(type(error).__name__)
                continue
            finally:
                connection.close()
            self.answered += 1
            if status != 200:
                self.failures.append(str(status))

    def __enter__(self) -> Self:
        for client in self._clients:
            client.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for client in self._clients:
            client.join()


class Replicas:
    """The replicas of the only Deployment in a namespace: their number now, and the smallest that was seen."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        (deployment,) = cluster.apps.list_namespaced_deployment(namespace).items
        self._cluster, self._namespace, self._name = cluster, namespace, deployment.metadata.name
        self.smallest = self.now()
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch)

    def now(self) -> int:
        return int(self._cluster.apps.read_namespaced_deployment(self._name, self._namespace).spec.replicas)

    def are_ready(self) -> bool:
        found = self._cluster.apps.read_namespaced_deployment(self._name, self._namespace)
        return bool(found.status.ready_replicas == found.spec.replicas)

    def cpu_percent(self) -> int | None:
        """What the autoscaler last read of the pods' use, in percent of the request."""
        for metric in self._autoscaler().get("status", {}).get("currentMetrics") or []:
            return metric.get("resource", {}).get("current", {}).get("averageUtilization")  # type: ignore[no-any-return]
        return None

    def wait_until(self, fits: Callable[[], bool]) -> float:
        """Seconds that it took."""
        began = time.monotonic()
        while not fits():
            waited = time.monotonic() - began
            assert waited < WITHIN_SECONDS, f"{self.now()} replicas after {waited:.0f} s\n{self._autoscaler()}"
            time.sleep(0.5)
        return time.monotonic() - began

    def _autoscaler(self) -> dict[str, Any]:
        asked = ["kubectl", "get", "hpa", "-n", self._namespace, "-o", "json"]
        (found,) = json.loads(subprocess.run(asked, capture_output=True, check=True).stdout)["items"] or [{}]
        return dict(found)

    def _watch(self) -> None:
        while not self._done.wait(0.2):
            self.smallest = min(self.smallest, self.now())

    def __enter__(self) -> Self:
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._watcher.join()
