"""A Job that trains: what is told of it, and what is left of it, whatever happens to it."""

import asyncio
import base64
import json
import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from components.plugin import job_launcher
from components.plugin.cluster import ClusterSilent
from components.plugin.job_launcher import JobLauncher
from components.plugin.job_objects import object_name
from components.plugin.launcher import Notice, RunCancelled, RunCrashed, RunFailed, Submission, run_training
from sealift.provider import PluginError
from sealift.stores import INPUTS, Store, hold_lease, open_store
from sealift.stores.store import LEASES
from tests.keys import key_pair
from tests.object_store import ObjectStore
from tests.unit.components.plugin.fake_cluster import COMPLETE, RUNNING, STARTED, FakeCluster
from tests.unit.components.plugin.fake_launcher import FakeLauncher
from training.checkpoint import Records, SealedRecord, TrainedRecord
from training.events import ErrorEvent, LogEvent, PhaseEvent, ResultEvent, write_event
from training.job import Job
from training.options import Compute
from training.request import RunRequest

RUN_ID = "cd" * 32
RUN_KEY = bytes(range(32))
RESULT = ResultEvent({"artifact_id": "ab"})
TRAINED = TrainedRecord("aa" * 16, "bb" * 16, {}, {}, 1.0, None, b"model", b"{}")
NAME = object_name(RUN_ID)
ERROR = ErrorEvent("the data is odd", "mend it")


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_launcher, "POLL_SECONDS", 0.01)


@pytest.fixture
def store(object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> Store:
    for name, value in object_store.variables.items():
        monkeypatch.setenv(name, value)
    return open_store(f"{object_store.url}/{secrets.token_hex(8)}")


def run(
    store: Store, cluster: FakeCluster, local: FakeLauncher, *, cancels: bool = False, nodes: int = 1
) -> tuple[ResultEvent, list[Notice]]:
    notices: list[Notice] = []
    compute = Compute(kind="job", image="python@sha256:0", namespace="team", processes=nodes, nodes=nodes)
    request = RunRequest(Job(compute=compute), store.location, RUN_KEY, (key_pair().recipient.pem,), RUN_ID)

    async def on_notice(notice: Notice) -> None:
        notices.append(notice)

    async def main() -> ResultEvent:
        cancelled = asyncio.Event()

        async def cancel() -> None:
            while cluster.pod is None:  # noqa: ASYNC110 - a fake cluster tells nobody
                await asyncio.sleep(0.01)
            cancelled.set()

        cancelling = asyncio.create_task(cancel()) if cancels else None
        try:
            return await run_training(
                JobLauncher(local, lambda namespace, context: cluster),  # type: ignore[arg-type, return-value]
                Submission(request, Path.cwd()), timeout_seconds=0, cancelled=cancelled, on_notice=on_notice,
            )  # fmt: skip
        finally:
            if cancelling is not None:
                cancelling.cancel()

    return asyncio.run(main()), notices


def save(store: Store, record: TrainedRecord | SealedRecord) -> None:
    with hold_lease(store, RUN_ID) as fence:
        Records(store, RUN_KEY, RUN_ID, fence).save(record)


def finishing() -> FakeLauncher:
    return FakeLauncher(tell=lambda submission: [RESULT])


def steps(*states: Callable[[FakeCluster], None]) -> Callable[[FakeCluster, int], None]:
    """The last state stays."""

    def look(cluster: FakeCluster, number: int) -> None:
        states[min(number, len(states) - 1)](cluster)

    return look


def running(cluster: FakeCluster) -> None:
    if cluster.job is not None:
        cluster.pod = RUNNING


def complete(cluster: FakeCluster) -> None:
    if cluster.job is not None:
        cluster.job = COMPLETE


def nothing_left(store: Store, cluster: FakeCluster) -> bool:
    return cluster.job is None and store.names(INPUTS) == [] and store.names(LEASES) == []


def test_the_pod_trains_and_this_machine_finishes(store: Store) -> None:
    cluster, local = FakeCluster(steps(running, complete)), finishing()
    cluster.lines = ["hello", '{"event": "log", "level": "info", "message": "reading"}', write_event(RESULT).decode()]

    result, notices = run(store, cluster, local)

    assert result == RESULT
    assert [one for one in notices if isinstance(one, LogEvent)] == [LogEvent("info", "reading")]
    assert [one.request.trains for one in local.submissions] == [False], "it may not train here"
    assert cluster.said == [f"create {NAME}", "code", f"delete {NAME}"]
    assert nothing_left(store, cluster)


def test_the_secret_has_urls_of_two_files_and_no_credentials(store: Store, object_store: ObjectStore) -> None:
    cluster = FakeCluster(steps(running, complete))
    run(store, cluster, finishing())
    (secret,) = cluster.secrets
    access = json.loads(base64.b64decode(secret["data"]["access.json"]))
    assert object_store.key.secret not in json.dumps(access)
    places = {name: one.partition("?")[0].rpartition("/")[0].rpartition("/")[2] for name, one in access.items()}
    assert {name: places[name] for name in ("parcelUrl", "recordGetUrl", "recordPutUrl")} == {
        "parcelUrl": "inputs", "recordGetUrl": "records", "recordPutUrl": "records",
    }  # fmt: skip


def test_a_trained_record_needs_no_pod_and_a_leftover_job_goes(store: Store) -> None:
    save(store, TRAINED)
    cluster = FakeCluster(steps(running), job=STARTED)
    assert run(store, cluster, finishing())[0] == RESULT
    assert cluster.said == [f"delete {NAME}"]
    assert nothing_left(store, cluster)


def test_a_sealed_run_needs_no_cluster(store: Store) -> None:
    save(store, SealedRecord({"artifact_id": "aa" * 16}, {}, b"{}"))
    cluster = FakeCluster(steps(running), silent=True)
    assert run(store, cluster, finishing())[0] == RESULT
    assert cluster.said == []


def test_a_job_of_an_earlier_update_is_followed_with_new_access(store: Store) -> None:
    cluster = FakeCluster(steps(running, running, complete), job=STARTED)
    _, notices = run(store, cluster, finishing())
    assert any(f"continuing with the Job {NAME}" in getattr(one, "message", "") for one in notices)
    assert cluster.said == ["code", f"delete {NAME}"]
    assert len(cluster.secrets) == 1


@pytest.mark.parametrize("job", [replace(STARTED, failure="BackoffLimitExceeded"), replace(STARTED, deleted=True)])
def test_a_failed_job_and_one_that_is_being_deleted_are_replaced(store: Store, job: object) -> None:
    cluster = FakeCluster(steps(running, running, running, complete), job=job)  # type: ignore[arg-type]
    run(store, cluster, finishing())
    assert cluster.said[:2] == [f"delete {NAME}", f"create {NAME}"]


def test_an_error_of_the_run_is_raised_and_leaves_nothing(store: Store) -> None:
    def fail(cluster: FakeCluster) -> None:
        if cluster.job is not None:
            cluster.pod = replace(RUNNING, exit_code=1)
            cluster.job = replace(STARTED, failure="PodFailurePolicy: exit code 1")

    cluster, local = FakeCluster(steps(running, fail)), finishing()
    cluster.lines = [write_event(ERROR).decode()]
    with pytest.raises(RunFailed, match="the data is odd\nhint: mend it"):
        run(store, cluster, local)
    assert local.submissions == []
    assert nothing_left(store, cluster)


def test_a_pod_that_ran_out_of_memory_is_not_tried_again(store: Store) -> None:
    def killed(cluster: FakeCluster) -> None:
        if cluster.job is not None:
            cluster.pod = replace(RUNNING, exit_code=137, killed_for_memory=True)

    cluster = FakeCluster(steps(running, killed))
    cluster.lines = ["loading"]
    with pytest.raises(RunCrashed, match=r"killed \(signal 9\).*2.00 GiB of memory; its last output: loading"):
        run(store, cluster, finishing())
    assert nothing_left(store, cluster)


def test_a_pod_that_waits_is_said_once_and_has_a_limit(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def wait(cluster: FakeCluster) -> None:
        if cluster.job is not None:
            cluster.pod = replace(RUNNING, waiting="Unschedulable: 0/1 nodes are available: 1 Insufficient cpu.")

    monkeypatch.setattr(job_launcher, "START_SECONDS", 0.3)
    cluster = FakeCluster(steps(wait))
    with pytest.raises(PluginError, match=r"has not started in 0.3 seconds: Unschedulable.*Insufficient cpu"):
        run(store, cluster, finishing())
    assert nothing_left(store, cluster)


def test_a_cluster_that_is_away_for_a_moment_ends_nothing(store: Store) -> None:
    def away(cluster: FakeCluster) -> None:
        cluster.silent = True

    def back(cluster: FakeCluster) -> None:
        cluster.silent = False
        running(cluster)

    assert run(store, FakeCluster(steps(running, away, away, back, complete)), finishing())[0] == RESULT


def test_a_cluster_that_stays_away_is_an_error(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(cluster: FakeCluster) -> None:
        cluster.silent = True

    monkeypatch.setattr(job_launcher, "SILENCE_SECONDS", 0.1)
    with pytest.raises(ClusterSilent, match="does not answer"):
        run(store, FakeCluster(steps(running, away)), finishing())


def test_a_job_that_somebody_deleted_is_an_error(store: Store) -> None:
    def delete(cluster: FakeCluster) -> None:
        cluster.job = cluster.pod = None

    with pytest.raises(PluginError, match=f"the Job {NAME} was deleted in the namespace team"):
        run(store, FakeCluster(steps(running, delete)), finishing())


def test_a_cancel_deletes_the_job_and_keeps_the_checkpoint(store: Store) -> None:
    cluster, local = FakeCluster(steps(running)), finishing()
    with pytest.raises(RunCancelled, match="the checkpoint is kept"):
        run(store, cluster, local, cancels=True)
    assert cluster.said[-1] == f"delete {NAME}"
    assert local.submissions == []
    assert nothing_left(store, cluster)


def test_the_end_of_the_engine_leaves_the_job(store: Store) -> None:
    cluster = FakeCluster(steps(running))

    async def main() -> None:
        compute = Compute(kind="job", image="python@sha256:0", namespace="team")
        request = RunRequest(Job(compute=compute), store.location, RUN_KEY, (key_pair().recipient.pem,), RUN_ID)

        async def ignore(notice: Notice) -> None: ...

        training = asyncio.create_task(
            run_training(
                JobLauncher(finishing(), lambda namespace, context: cluster),  # type: ignore[arg-type, return-value]
                Submission(request, Path.cwd()),
                timeout_seconds=0,
                cancelled=asyncio.Event(),
                on_notice=ignore,
            )
        )
        while cluster.pod is None:  # noqa: ASYNC110 - a fake cluster tells nobody
            await asyncio.sleep(0.01)
        training.cancel()
        with pytest.raises(asyncio.CancelledError):
            await training

    asyncio.run(main())
    assert cluster.job is not None
    assert store.names(INPUTS) == [RUN_ID], "its pod may start again"
    assert store.names(LEASES) == [], "the next update continues at once"


def test_an_error_of_another_pod_is_the_run_s(store: Store) -> None:
    def fail(cluster: FakeCluster) -> None:
        if cluster.job is not None:
            cluster.pod = RUNNING
            cluster.others = [replace(RUNNING, name="pod-1", index=1, exit_code=1)]
            cluster.job = replace(STARTED, failure="PodFailurePolicy: exit code 1")

    cluster = FakeCluster(steps(running, fail))
    cluster.lines, cluster.lines_of_others = ["training"], ["hello", write_event(ERROR).decode()]
    with pytest.raises(RunFailed, match="the data is odd"):
        run(store, cluster, finishing(), nodes=2)
    assert "policy" in cluster.said
    assert nothing_left(store, cluster)


def test_another_pod_that_waits_is_said(store: Store) -> None:
    def wait(cluster: FakeCluster) -> None:
        running(cluster)
        if cluster.job is not None:
            cluster.others = [replace(RUNNING, name="pod-1", index=1, waiting="Unschedulable: no room")]

    def start(cluster: FakeCluster) -> None:
        if cluster.job is not None:
            cluster.others = [replace(RUNNING, name="pod-1", index=1)]

    _, notices = run(store, FakeCluster(steps(wait, wait, start, complete)), finishing(), nodes=2)
    waits = [one.message for one in notices if isinstance(one, PhaseEvent) and "waiting" in one.message]
    assert waits == ["waiting for the pod pod-1: Unschedulable: no room"]
