"""Training in a Job of the cluster: the model of this machine, with access to its own run alone, and nothing left."""

import base64
import json
import os
import secrets
import signal
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kubernetes
import pytest

from bootstrap.node.configuration import NODE_ADDRESS
from components.plugin.job_objects import LABELS
from sealift.stores import INPUTS, RECORDS, Store, artifact_ids, open_store
from sealift.stores.store import LEASES
from tests.cluster.cluster import Cluster
from tests.object_store import ObjectStore, running
from tests.stack import Stack
from tests.training_stack import make_training_stack

SELECTOR = ",".join(f"{name}={value}" for name, value in LABELS.items())
SECONDS = 120
SLOW = """
import time
import torch


class Net(torch.nn.Sequential):
    def __init__(self):
        super().__init__(torch.nn.Linear(10, 1))

    def forward(self, rows):
        if self.training:
            time.sleep(0.05)
        return super().forward(rows)
"""
"""A model of the user's that takes a third of a second for each epoch."""


@dataclass(frozen=True)
class Team:
    """A namespace that refuses pods outside the restricted profile, a claim of Python packages, and an object store."""

    cluster: Cluster
    namespace: str
    image: str
    server: ObjectStore

    @property
    def compute(self) -> dict[str, object]:
        return {
            "kind": "job",
            "namespace": self.namespace,
            "image": self.image,
            "packagesClaim": "packages",
            "cpu": "1",
            "memory": "1500Mi",
        }

    def jobs(self) -> list[Any]:
        batch = kubernetes.client.BatchV1Api(self.cluster.core.api_client)
        return list(batch.list_namespaced_job(self.namespace).items)

    def pods(self) -> list[Any]:
        return self.cluster.pods(self.namespace)

    def log_of_another_pod(self, than: str) -> str:
        """What the pod after this one has printed, or "" as long as there is none."""
        for pod in self.pods():
            if pod.metadata.name != than and pod.status.phase == "Running":
                return str(self.cluster.core.read_namespaced_pod_log(pod.metadata.name, self.namespace))
        return ""

    def left(self) -> dict[str, list[str]]:
        """What the training made in the namespace and has not removed."""
        core = self.cluster.core
        found = {
            "jobs": self.jobs(),
            "pods": self.pods(),
            "secrets": core.list_namespaced_secret(self.namespace).items,
            "config maps": core.list_namespaced_config_map(self.namespace, label_selector=SELECTOR).items,
        }
        return {kind: [one.metadata.name for one in items] for kind, items in found.items() if items}

    def nothing_left(self) -> bool:
        return until(lambda: not self.left())


def until(true: Callable[[], bool], seconds: float = SECONDS) -> bool:
    latest = time.monotonic() + seconds
    while not true():
        if time.monotonic() > latest:
            return False
        time.sleep(0.2)
    return True


@pytest.fixture(scope="module")
def team(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """The environment of these tests, mounted read-only: an image with it would have 7 GB."""
    base, registry = os.environ["SEALIFT_BASE_IMAGE"], os.environ["SEALIFT_REGISTRY"]
    image = f"{registry}/training-test:python"
    subprocess.run(["docker", "tag", base, image], check=True)
    subprocess.run(["docker", "push", "--quiet", image], check=True, capture_output=True)
    name = f"team-{secrets.token_hex(4)}"
    core = cluster.core
    core.create_namespace({"metadata": {"name": name, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}})
    core.create_persistent_volume(
        {
            "metadata": {"name": name},
            "spec": {
                "capacity": {"storage": "10Gi"},
                "accessModes": ["ReadOnlyMany"],
                "storageClassName": "",
                "hostPath": {"path": sysconfig.get_path("purelib")},
                "claimRef": {"namespace": name, "name": "packages"},
            },
        }
    )
    core.create_namespaced_persistent_volume_claim(
        name,
        {
            "metadata": {"name": "packages"},
            "spec": {
                "accessModes": ["ReadOnlyMany"],
                "storageClassName": "",
                "volumeName": name,
                "resources": {"requests": {"storage": "1Gi"}},
            },
        },
    )
    with running(tmp_path_factory.mktemp("object-store"), address=NODE_ADDRESS) as server:
        yield Team(cluster, name, image, server)
    core.delete_namespace(name)
    core.delete_persistent_volume(name)


@pytest.fixture
def store(team: Team, monkeypatch: pytest.MonkeyPatch) -> Store:
    for name, value in team.server.variables.items():
        monkeypatch.setenv(name, value)
    return open_store(f"{team.server.url}/{secrets.token_hex(6)}")


@pytest.fixture
def stack(team: Team, store: Store, tmp_path: Path) -> Iterator[Stack]:
    made = make_training_stack(tmp_path)
    made.set_config("storeUrl", store.location)
    yield made
    made.destroy().ok()


def test_the_pods_make_the_model_of_this_machine_and_leave_nothing(
    team: Team, stack: Stack, store: Store, tmp_path: Path
) -> None:
    stack.set_run(epochs=3, compute={**team.compute, "processes": 2, "nodes": 2, "cpu": "500m"})
    place = f"in a Job of the namespace {team.namespace} (2 pods with 500m CPU, 1500Mi of memory)"
    quota = {"metadata": {"name": "small"}, "spec": {"hard": {"requests.memory": "2Gi"}}}
    team.cluster.core.create_namespaced_resource_quota(team.namespace, quota)
    assert until(lambda: bool(team.cluster.core.read_namespaced_resource_quota("small", team.namespace).status.used))
    previewed = stack.preview().ok().text
    team.cluster.core.delete_namespaced_resource_quota("small", team.namespace)
    assert place in previewed
    assert "needs 3000Mi of requests.memory" in previewed
    assert team.left() == {}, "a preview starts nothing"

    said = stack.up().ok().text

    assert "epoch 3" in said or "3 of 3" in said, said
    outputs = stack.outputs(secrets=True)
    assert team.nothing_left(), team.left()
    assert (store.names(INPUTS), store.names(LEASES)) == ([], [])
    assert len(artifact_ids(store)) == 2, "the model and its report"

    stack.set_run(epochs=3, compute={"processes": 2})
    assert "without training" in stack.preview().ok().text or "unchanged" in stack.preview().ok().text
    stack.up().ok()
    assert stack.outputs(secrets=True)["artifact_id"] == outputs["artifact_id"], "the place is not part of a model"

    (tmp_path / "local").mkdir()
    local = make_training_stack(tmp_path / "local", epochs=3, compute={"processes": 2})
    local.up().ok()
    there, here = outputs, local.outputs(secrets=True)
    local.destroy().ok()
    assert (there["metrics"], there["epochs_run"]) == (here["metrics"], here["epochs_run"])


@contextmanager
def updating(stack: Stack) -> Iterator["subprocess.Popen[str]"]:
    """An update under way, which is killed if a test fails."""
    process = stack.start("up", "--yes", "--skip-preview", "--stack", stack.name)
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def test_the_pod_has_its_own_run_s_access_and_nothing_else(team: Team, stack: Stack) -> None:
    (stack.folder / "slow.py").write_text(SLOW)
    stack.set_run(model="slow:Net", epochs=2000, compute=team.compute)
    with updating(stack) as process:
        assert until(lambda: any(pod.status.phase == "Running" for pod in team.pods()))
        (pod,) = team.pods()
        (container,) = pod.spec.containers
        (secret,) = team.cluster.core.list_namespaced_secret(team.namespace).items
        access = json.loads(base64.b64decode(secret.data["access.json"]))
        text = json.dumps(access)
        assert access.keys() >= {"request", "parcelUrl", "recordGetUrl", "recordPutUrl"}
        assert team.server.key.secret not in text, "the store's credentials"
        assert pod.spec.automount_service_account_token is False
        assert not any(one.value_from and one.value_from.secret_key_ref for one in container.env)
        run_key = json.loads(access["request"])["runKey"]
        seen = team.cluster.core.read_namespaced_pod_log(pod.metadata.name, team.namespace)
        for shown in (pod.to_str(), str(team.jobs()), seen):
            assert run_key not in shown
            assert "X-Amz-Signature" not in shown
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=SECONDS)
    assert "the checkpoint is kept" in said, said
    assert team.nothing_left(), team.left()


def test_a_lost_pod_and_a_killed_update_go_on_from_the_checkpoint(team: Team, stack: Stack, store: Store) -> None:
    (stack.folder / "slow.py").write_text(SLOW)
    stack.set_run(model="slow:Net", epochs=100, checkpointSeconds=1, compute=team.compute)
    with updating(stack) as process:
        assert until(lambda: store.names(RECORDS) != []), "a checkpoint"
        (first,) = [pod.metadata.name for pod in team.pods()]
        team.cluster.core.delete_namespaced_pod(first, team.namespace, grace_period_seconds=0)
        assert until(lambda: "continuing after epoch" in team.log_of_another_pod(first))
        os.killpg(process.pid, signal.SIGKILL)
    assert len(team.jobs()) == 1, "the Job goes on"

    stack.run("cancel", "--yes", "--stack", stack.name).ok()
    said = stack.up().ok().text

    assert "continuing with the Job" in said, said
    assert team.nothing_left(), team.left()
    assert stack.outputs()["epochs_run"] == 100


def test_a_failure_in_the_pod_is_shown_and_leaves_nothing(team: Team, stack: Stack, store: Store) -> None:
    (stack.folder / "odd.py").write_text(
        "import torch\n\n\nclass Net(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        raise ValueError('no')\n"
    )
    stack.set_run(model="odd:Net", epochs=1, compute=team.compute)

    said = stack.up().failed().text

    assert "odd:Net" in said, said
    assert team.nothing_left(), team.left()
    assert store.names(INPUTS) == []


def test_too_little_memory_is_said_with_the_limit(team: Team, stack: Stack) -> None:
    stack.set_run(epochs=1, compute={**team.compute, "memory": "64Mi"})

    said = stack.up().failed().text

    assert "0.06 GiB of memory" in said, said
    assert team.nothing_left(), team.left()
