"""An update that comes to mend what failed: tried again at once, and a failure is not waited for twice."""

import asyncio
from typing import Any, cast

import pytest

from airgap.plugins.kubernetes.cluster import Cluster
from airgap.plugins.kubernetes.conditions import Snapshot
from airgap.plugins.kubernetes.errors import ApiRefusal, InitializationFailed
from airgap.plugins.kubernetes.objects import Object, ObjectKind
from airgap.plugins.kubernetes.reviving import RETRIED_AT, revive
from airgap.plugins.kubernetes.waiting import Wait, failed_backers, until_ready

REVISION = "deployment.kubernetes.io/revision"
DEPLOYMENT: Object = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "m", "namespace": "n", "uid": "d", "generation": 2, "annotations": {REVISION: "1"}},
    "spec": {"replicas": 1, "template": {"metadata": {"labels": {"app": "m", "tier": "one"}}}},
    "status": {"observedGeneration": 2},
}


class Recorder:
    """A cluster that only takes down what it is asked to do."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.asked: list[tuple[str, ...]] = []
        self._refuses = refuses

    def delete(self, kind: ObjectKind, namespace: str, name: str, *, propagation: str) -> None:
        self._ask("delete", kind, namespace, name)

    def merge_patch(self, kind: ObjectKind, namespace: str, name: str, patch: Object) -> Object:
        self._ask("annotate", kind, namespace, name)
        assert list(patch["metadata"]["annotations"]) == [RETRIED_AT]
        return {}

    def _ask(self, what: str, kind: ObjectKind, namespace: str, name: str) -> None:
        if self._refuses:
            raise ApiRefusal(403, {"reason": "Forbidden"})
        self.asked.append((what, kind.name, f"{namespace}/{name}"))


def replica_set(*, failing: bool = False) -> Object:
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota"}
    owner = [{"uid": "d"}]
    metadata = {"name": "m-1", "namespace": "n", "uid": "r", "annotations": {REVISION: "1"}, "ownerReferences": owner}
    return {"metadata": metadata, "status": {"conditions": [failure] if failing else []}}


def pod(name: str, reason: str, owner: str = "r", **metadata: Any) -> Object:
    where = {"name": name, "namespace": "n", "uid": name, "ownerReferences": [{"uid": owner}], **metadata}
    waiting = {"state": {"waiting": {"reason": reason}}} if reason else {"state": {"running": {}}, "ready": True}
    return {"metadata": where, "status": {"containerStatuses": [{"name": "c", **waiting}]}}


def asked(snapshot: Snapshot, *, refuses: bool = False) -> list[tuple[str, ...]]:
    recorder = Recorder(refuses=refuses)
    revive(cast("Cluster", recorder), snapshot)
    return recorder.asked


@pytest.mark.parametrize("reason", ["CrashLoopBackOff", "ErrImagePull", "ImagePullBackOff"])
def test_a_pod_that_waits_to_be_tried_again_is_made_anew(reason: str) -> None:
    snapshot = Snapshot(DEPLOYMENT, [replica_set()], [pod("stuck", reason), pod("fine", "")])

    assert asked(snapshot) == [("delete", "Pod", "n/stuck")]


def test_a_refused_pod_is_asked_for_again() -> None:
    assert asked(Snapshot(DEPLOYMENT, [replica_set(failing=True)])) == [("annotate", "ReplicaSet", "n/m-1")]


@pytest.mark.parametrize(
    "snapshot",
    [
        Snapshot(DEPLOYMENT, [replica_set()], [pod("new", "ContainerCreating")]),
        Snapshot(DEPLOYMENT, [replica_set()], [pod("another's", "CrashLoopBackOff", owner="x")]),
        Snapshot(DEPLOYMENT, [replica_set()], [pod("going", "CrashLoopBackOff", deletionTimestamp="now")]),
        Snapshot(DEPLOYMENT, [], [pod("orphan", "CrashLoopBackOff")]),
        Snapshot(DEPLOYMENT | {"status": {}}, [replica_set(failing=True)], [pod("old", "CrashLoopBackOff")]),
        Snapshot(DEPLOYMENT | {"kind": "StatefulSet"}, [replica_set()], [pod("stuck", "CrashLoopBackOff")]),
    ],
    ids=["starting", "another's", "going", "no replica set", "not seen yet", "another kind"],
)
def test_nothing_else_is_touched(snapshot: Snapshot) -> None:
    assert asked(snapshot) == []


def test_what_may_not_be_done_is_left_undone() -> None:
    assert asked(Snapshot(DEPLOYMENT, [replica_set()], [pod("stuck", "CrashLoopBackOff")]), refuses=True) == []


def service(namespace: str = "n", **selector: str) -> Object:
    metadata = {"name": "s", "namespace": namespace, "uid": "s"}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"selector": selector}}


@pytest.mark.parametrize(
    ("live", "found"),
    [
        (service(app="m"), ["Deployment m"]),
        (service(app="m", tier="one"), ["Deployment m"]),
        (service(app="other"), []),
        (service("elsewhere", app="m"), []),
        (service(), []),
        (DEPLOYMENT, []),
    ],
)
def test_a_service_knows_the_failed_workloads_behind_it(live: Object, found: list[str]) -> None:
    assert failed_backers(live, [DEPLOYMENT]) == found


def test_a_service_does_not_wait_for_the_pods_of_a_workload_that_has_failed() -> None:
    class Pending:
        """A cluster where the Service's only pod is not ready."""

        def get(self, kind: ObjectKind, namespace: str, name: str) -> Object:
            return service(app="m")

        def list_all(self, kind: ObjectKind, namespace: str, **selectors: str) -> list[Object]:
            return [{"endpoints": [{"conditions": {"ready": False}}]}] if kind.name == "EndpointSlice" else []

    async def show(line: str) -> None:
        """Nothing."""

    async def wait() -> None:
        patience = Wait(cast("Cluster", Pending()), show, asyncio.Event(), 3600, [DEPLOYMENT])
        await asyncio.wait_for(until_ready(patience, service(app="m"), service(app="m")), 60)

    with pytest.raises(InitializationFailed) as caught:
        asyncio.run(wait())

    assert caught.value.reasons == ("its pods do not start; see Deployment m",)
