"""Conditions as pure functions: what a snapshot of the cluster means for who waits."""

from typing import Any

import pytest

from airgap.plugins.kubernetes.conditions import CONDITIONS, Snapshot, Verdict, WaitSoFar
from airgap.plugins.kubernetes.conditions.deployment import NO_ROOM_SECONDS, REFUSED_SECONDS
from airgap.plugins.kubernetes.objects import Object, ObjectKind

REVISION = "deployment.kubernetes.io/revision"
REFUSED = 'pods "m-1-x" is forbidden: violates PodSecurity "restricted:latest"'
NO_ROOM = 'pods "m-1-x" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2'


def judge(
    live: Object, *, first: Snapshot | None = None, elapsed: float = 0.0, reading: bool = False, **rest: Any
) -> Verdict:
    so_far = WaitSoFar(first or Snapshot(live), elapsed_seconds=elapsed, reading=reading)
    return CONDITIONS[ObjectKind.of(live)](Snapshot(live, **rest), so_far)


def condition(kind: str, status: str = "True", reason: str = "", message: str = "") -> Object:
    return {"type": kind, "status": status, "reason": reason, "message": message}


def deployment(
    revision: str = "1", replicas: int = 2, updated: int = 2, observed: int = 1, **conditions: Object
) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "m", "namespace": "n", "uid": "d", "generation": 1, "annotations": {REVISION: revision}},
        "spec": {"replicas": replicas},
        "status": {
            "observedGeneration": observed,
            "updatedReplicas": updated,
            "conditions": [{"type": kind} | value for kind, value in conditions.items()],
        },
    }


def replica_set(revision: str = "1", wanted: int = 2, ready: int = 0, failure: str = "", owner: str = "d") -> Object:
    return {
        "metadata": {
            "name": f"m-{revision}",
            "uid": f"r{revision}",
            "annotations": {REVISION: revision},
            "ownerReferences": [{"uid": owner}],
        },
        "spec": {"replicas": wanted},
        "status": {
            "readyReplicas": ready,
            "conditions": [condition("ReplicaFailure", reason="FailedCreate", message=failure)] if failure else [],
        },
    }


def pod(
    owner: str = "r1", *, ready: bool = False, going: bool = False, labels: Object | None = None, **status: Any
) -> Object:
    metadata: Object = {
        "name": f"m-{owner}-x",
        "namespace": "n",
        "uid": f"p-{owner}",
        "ownerReferences": [{"uid": owner}],
        "labels": labels or {},
    }
    if going:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    containers = [{"name": "c", "ready": ready, **status}] if status else []
    conditions = [condition("Ready", "True" if ready else "False", message="containers with unready status: [c]")]
    state = {"phase": "Running", "conditions": conditions, "containerStatuses": containers}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "status": state}


def waiting(reason: str, message: str = "", **rest: Any) -> Object:
    return {"state": {"waiting": {"reason": reason, "message": message}}, **rest}


AVAILABLE = {"status": "True"}
ROLLED_OUT = {"status": "True", "reason": "NewReplicaSetAvailable"}


def test_a_deployment_is_ready_when_the_replica_set_of_its_revision_is() -> None:
    live = deployment(Available=AVAILABLE)

    verdict = judge(live, replica_sets=[replica_set(ready=2)])

    assert verdict.done
    assert verdict.status == ("Deployment initialization complete",)


def test_a_deployment_tells_how_many_pods_are_there() -> None:
    verdict = judge(deployment(updated=0), replica_sets=[replica_set(ready=0)])

    assert not verdict.done
    assert verdict.status == ("Waiting for app ReplicaSet to be available (0/2 Pods available)",)


@pytest.mark.parametrize(
    ("live", "sets"),
    [
        (deployment(observed=0, Available=AVAILABLE), [replica_set(ready=2)]),  # an old status
        (deployment(), [replica_set(ready=2)]),  # not available
        (deployment(Available=AVAILABLE), [replica_set(ready=1)]),  # one is missing
        (deployment(updated=1, Available=AVAILABLE), [replica_set(wanted=1, ready=1)]),  # in the middle of a rollout
        (deployment(revision="2", Available=AVAILABLE), [replica_set("2", ready=2)]),  # old pods are not gone
        (deployment(revision="2", Available=AVAILABLE), [replica_set("1", ready=2)]),  # only the old pods are ready
        (deployment(Available=AVAILABLE), [replica_set(ready=2, owner="other")]),  # somebody else's
    ],
)
def test_a_deployment_is_not_ready_before_its_rollout_is_complete(live: Object, sets: list[Object]) -> None:
    assert not judge(live, replica_sets=sets).done


def test_a_later_revision_is_ready_once_the_controller_says_so() -> None:
    live = deployment(revision="2", Available=AVAILABLE, Progressing=ROLLED_OUT)

    assert judge(live, replica_sets=[replica_set("1", wanted=0), replica_set("2", ready=2)]).done


def test_a_pod_that_may_not_be_made_ends_the_wait_within_seconds_with_the_reason() -> None:
    (trouble,) = judge(deployment(), replica_sets=[replica_set(failure=REFUSED)]).troubles

    assert trouble.text == f"[FailedCreate] {REFUSED}"
    assert trouble.lasting_seconds == REFUSED_SECONDS == 5


def test_a_refusal_that_is_told_on_the_deployment_alone_counts_as_well() -> None:
    failing = deployment(ReplicaFailure=condition("ReplicaFailure", reason="FailedCreate", message=REFUSED))

    assert [trouble.text for trouble in judge(failing).troubles] == [f"[FailedCreate] {REFUSED}"]


def test_a_full_quota_is_not_fatal_while_pods_are_on_their_way_out() -> None:
    refused = replica_set("2", failure=NO_ROOM)

    assert judge(deployment("2"), replica_sets=[refused], pods=[pod("r1", going=True)]).troubles == ()


def test_a_full_quota_is_not_fatal_while_a_new_pod_is_starting() -> None:
    refused = replica_set("2", failure=NO_ROOM)

    assert judge(deployment("2"), replica_sets=[refused], pods=[pod("r1", ready=True), pod("r2")]).troubles == ()


@pytest.mark.parametrize("now", [[], [pod("r1", ready=True)]], ids=["after the last has gone", "while some are there"])
def test_a_full_quota_has_time_to_be_tried_again_where_there_were_pods(now: list[Object]) -> None:
    live, refused = deployment("2"), replica_set("2", failure=NO_ROOM)
    before = Snapshot(live, pods=[pod("r1", ready=True)])

    (trouble,) = judge(live, first=before, replica_sets=[refused], pods=now).troubles

    assert trouble.lasting_seconds == NO_ROOM_SECONDS == 45


def test_a_quota_that_is_too_small_for_the_first_pod_is_told_within_seconds() -> None:
    (trouble,) = judge(deployment(), replica_sets=[replica_set(failure=NO_ROOM)]).troubles

    assert trouble.lasting_seconds == REFUSED_SECONDS


def test_a_rollout_that_the_controller_gave_up_is_over() -> None:
    stuck = deployment(Progressing={"status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"})

    assert [t.text for t in judge(stuck, replica_sets=[replica_set()]).troubles] == [
        "[ProgressDeadlineExceeded] timed out"
    ]


@pytest.mark.parametrize(("failures", "fatal"), [(1, False), (2, True)])
def test_an_image_that_cannot_be_pulled_twice_is_told_in_the_runtime_s_words(failures: int, fatal: bool) -> None:
    broken = pod(**waiting("ImagePullBackOff", "Back-off pulling image"))

    verdict = judge(
        deployment(),
        replica_sets=[replica_set()],
        pods=[broken],
        pull_failures={"p-r1": failures},
        pull_messages={"p-r1": "not found"},
    )

    expected = ["pod m-r1-x, container c: [ImagePullBackOff] not found"] if fatal else []
    assert [trouble.text for trouble in verdict.troubles] == expected


def test_pulls_that_failed_before_the_wait_do_not_count() -> None:
    live, broken = deployment(), pod(**waiting("ImagePullBackOff"))
    before = Snapshot(live, pods=[broken], pull_failures={"p-r1": 7})

    verdict = judge(live, first=before, replica_sets=[replica_set()], pods=[broken], pull_failures={"p-r1": 8})

    assert verdict.troubles == ()


def test_a_container_that_keeps_crashing_is_told_with_the_end_of_its_log() -> None:
    ended = {"lastState": {"terminated": {"exitCode": 3, "reason": "Error"}}, "restartCount": 1}
    broken = pod(**waiting("CrashLoopBackOff", "back-off 10s", **ended))

    (trouble,) = judge(deployment(), replica_sets=[replica_set()], pods=[broken]).troubles

    assert trouble.text.startswith("pod m-r1-x, container c: [CrashLoopBackOff] exit code 3 (Error)")
    assert trouble.logs_of == ("m-r1-x", "c", True)


def test_a_crash_of_before_the_wait_does_not_count() -> None:
    live, broken = deployment(), pod(**waiting("CrashLoopBackOff", restartCount=4))
    before = Snapshot(live, pods=[broken])

    assert judge(live, first=before, replica_sets=[replica_set()], pods=[broken]).troubles == ()


def test_a_missing_config_map_may_come_a_moment_later() -> None:
    broken = pod(**waiting("CreateContainerConfigError", 'configmap "c" not found'))

    (trouble,) = judge(deployment(), replica_sets=[replica_set()], pods=[broken]).troubles

    assert 0 < trouble.lasting_seconds <= 10
    assert trouble.text.endswith('[CreateContainerConfigError] configmap "c" not found')


def test_a_pod_that_never_becomes_ready_is_told_when_the_time_is_up() -> None:
    verdict = judge(deployment(), replica_sets=[replica_set()], pods=[pod("r1")])

    assert verdict.reasons[-1] == "[Pod n/m-r1-x]: containers with unready status: [c]"


def test_pods_of_the_old_revision_are_no_trouble() -> None:
    old = pod("r1", **waiting("CrashLoopBackOff", restartCount=4))

    assert judge(deployment("2"), replica_sets=[replica_set("1"), replica_set("2")], pods=[old]).troubles == ()


def service(**spec: Any) -> Object:
    fields = {"selector": {"app": "m"}, "clusterIP": "10.0.0.1", "type": "ClusterIP", **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": "n"}, "spec": fields}


def endpoints(*ready: bool) -> list[Object]:
    return [{"endpoints": [{"conditions": {"ready": each}} for each in ready]}]


def test_a_service_waits_for_the_pods_it_directs_to() -> None:
    verdict = judge(service(), endpoint_slices=endpoints(False))

    assert not verdict.done
    assert verdict.status == ("[1/3] Finding Pods to direct traffic to",)
    ready = judge(service(), endpoint_slices=endpoints(True))
    assert (ready.done, ready.status) == (True, ("Service initialization complete",))


def test_a_service_with_an_unready_pod_is_not_ready() -> None:
    assert not judge(service(), endpoint_slices=endpoints(True, False), elapsed=60).done


def test_a_service_without_any_pod_waits_ten_seconds_for_one() -> None:
    assert not judge(service(), elapsed=9.9).done
    assert judge(service(), elapsed=10.0).done
    assert judge(service(), reading=True).done


@pytest.mark.parametrize("spec", [{"selector": None}, {"clusterIP": "None"}, {"type": "ExternalName"}])
def test_a_service_that_directs_to_no_pods_is_ready_at_once(spec: Object) -> None:
    assert judge(service(**spec)).done


def test_a_load_balancer_waits_for_its_address() -> None:
    balancer = service(type="LoadBalancer")

    assert not judge(balancer, endpoint_slices=endpoints(True)).done
    given = balancer | {"status": {"loadBalancer": {"ingress": [{"ip": "10.0.0.2"}]}}}
    assert judge(given, endpoint_slices=endpoints(True)).done


def job(**status: Any) -> Object:
    metadata = {"name": "j", "namespace": "n", "uid": "j"}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "status": status}


def test_a_job_is_ready_when_it_has_succeeded() -> None:
    assert judge(job()).status == ('Waiting for Job "n/j" to start',)
    running = judge(job(startTime="t", active=1))
    assert (running.done, running.status[-1]) == (
        False,
        'Waiting for Job "n/j" to succeed (Active: 1 | Succeeded: 0 | Failed: 0)',
    )
    assert judge(job(startTime="t", succeeded=1, conditions=[condition("Complete")])).done


def test_a_failed_job_is_told_with_the_log_of_its_last_run() -> None:
    failed = job(startTime="t", conditions=[condition("Failed", reason="BackoffLimitExceeded", message="limit")])
    ended = pod("j", state={"terminated": {"exitCode": 7, "finishedAt": "t"}})

    (trouble,) = judge(failed, pods=[ended]).troubles

    assert trouble.text == "[BackoffLimitExceeded] limit"
    assert trouble.logs_of == ("m-j-x", "c", False)
    assert trouble.lasting_seconds == 0


def test_a_namespace_is_ready_when_it_is_active() -> None:
    live = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}

    assert judge(live | {"status": {"phase": "Active"}}).done
    assert not judge(live | {"status": {"phase": "Terminating"}}).done
    assert not judge(live).done


def test_a_quota_is_ready_when_all_of_it_is_counted_against() -> None:
    live: Object = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "q"},
        "spec": {"hard": {"pods": "2"}},
    }

    assert not judge(live).done
    assert not judge(live | {"status": {"hard": {"pods": "1"}}}).done
    assert judge(live | {"status": {"hard": {"pods": "2"}}}).done


def test_what_is_made_of_one_request_is_not_waited_for() -> None:
    for kind in ("ConfigMap", "Secret", "ServiceAccount", "LimitRange"):
        assert ObjectKind("v1", kind) not in CONDITIONS
