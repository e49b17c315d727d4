"""Training in a Job of a cluster. The pod trains, and this machine judges and seals.

The pod gets the run's files and signed URLs of the run's record. It has no other access to the store, and no key but
the run's. It saves its checkpoints and at last the trained model in the record, which the local launcher then finishes
like a run of this machine. This process holds the run's lease meanwhile.

The Job's name follows from the run. So an update that was killed finds its Job again, and continues to follow it.
"""

import asyncio
import contextlib
import math
import signal
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from components.plugin import job_objects
from components.plugin.cluster import (
    KILLED_FOR_MEMORY,
    ClusterNamespace,
    ClusterSilent,
    JobState,
    ObjectExists,
    PodState,
)
from components.plugin.launcher import Ending, LaunchedRun, Launcher, Submission
from sealift.provider import PluginError
from sealift.settings.quantity import parse
from sealift.stores import INPUTS, RECORDS, Fence, Store, hold_lease, open_store, sign_url
from training import parcel
from training.checkpoint import Record, Records, SealedRecord, TrainedRecord, TrainingRecord, is_of_other_code
from training.errors import CheckpointError, TrainingError
from training.events import ErrorEvent, Event, LogEvent, PhaseEvent, ResultEvent, read_event
from training.options import Compute
from training.pod_access import PodAccess, write_access
from training.request import write_request

POLL_SECONDS: Final = 1.0
START_SECONDS: Final = 900
"""Time in which a pod must start: to be scheduled, and to pull its image."""
SILENCE_SECONDS: Final = 300
"""Time in which a cluster that does not answer must come back."""
END_SECONDS: Final = job_objects.STOP_SECONDS + 15
FAILED: Final = 1
"""Exit code of a pod that has sent an error."""
WHOLE_SECONDS: Final = 86400
LAST_LINES: Final = 20
LONGEST_LINE: Final = 500
MEETING: Final = "01"
"""End of the name of the file with the first pod's address."""
OVERLAP_SECONDS: Final = 2
"""Seconds of the log that are read twice, because the clocks of this machine and of the node differ."""

Connect = Callable[[str, str | None], ClusterNamespace]


@dataclass(frozen=True)
class JobLauncher:
    """Trains in a Job, and finishes the run with `local`."""

    local: Launcher
    connect: Connect = ClusterNamespace

    @contextlib.asynccontextmanager
    async def launch(self, submission: Submission) -> AsyncIterator["JobRun"]:
        """Starts nothing yet: the Job starts when the events are read, if the run needs training."""
        run = JobRun(submission, self.connect, self.local)
        try:
            yield run
        finally:
            await run.close()


class JobRun:
    """One run: a Job, then a local process that finishes it."""

    def __init__(self, submission: Submission, connect: Connect, local: Launcher) -> None:
        self._submission, self._connect, self._local = submission, connect, local
        self._files = _RunFiles(submission, open_store(submission.request.store_url))
        self._name = job_objects.object_name(submission.request.run_id)
        self._labels = f"{job_objects.RUN_LABEL}={submission.request.run_id[:63]}"
        self._leased = contextlib.ExitStack()
        self._job_is_ours = False
        self._ended: Ending | None = None
        self._closed = False
        self._finishing: LaunchedRun | None = None

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yields the events of the pod, then those of the process that finishes the run."""
        fence = await asyncio.to_thread(self._hold_lease)
        try:
            record = await asyncio.to_thread(self._files.find_record, fence)
            if not isinstance(record, SealedRecord):
                async with contextlib.aclosing(self._train(record)) as events:
                    async for event in events:
                        yield event
        finally:
            await asyncio.to_thread(self._leased.close)
        if self._ended is not None:
            return
        request = replace(self._submission.request, trains=False)
        async with self._local.launch(replace(self._submission, request=request)) as run:
            self._finishing = run
            async with contextlib.aclosing(run.events()) as events:
                async for event in events:
                    yield event
            self._ended = await run.ending()
            self._finishing = None

    async def ending(self) -> Ending:
        """Returns the end of the pod if it failed, otherwise that of the local process."""
        if self._ended is None:
            raise AssertionError("internal error: the run's events have not been read to their end")
        return self._ended

    async def stop(self) -> None:
        """Ends the Job's pod, which saves its checkpoint, or the local process."""
        if self._finishing is not None:
            await self._finishing.stop()
        await self.close()

    async def abandon(self) -> None:
        """Leaves the Job as it is. Its pod saves checkpoints, and at last the trained model."""
        self._job_is_ours = False
        if self._finishing is not None:
            await self._finishing.abandon()

    async def close(self) -> None:
        """Deletes the Job with all that belongs to it, and waits until its pod has ended."""
        self._closed = True
        if self._job_is_ours:
            await self._end_job()
        await asyncio.to_thread(self._leased.close)

    def _hold_lease(self) -> Fence:
        """Waits for the run's lease. Gives it back if the run was closed meanwhile."""
        request = self._submission.request
        fence = self._leased.enter_context(hold_lease(self._files.store, request.run_id))
        if self._closed:
            self._leased.close()
        return fence

    @cached_property
    def _cluster(self) -> ClusterNamespace:
        compute = self._submission.request.job.compute
        return self._connect(compute.namespace, compute.context)

    @cached_property
    def _follower(self) -> "_Follower":
        return _Follower(self._cluster, self._submission.request.job.compute)

    async def _train(self, record: TrainingRecord | TrainedRecord | None) -> AsyncGenerator[Event, None]:
        """Yields the events of the Job until it has ended, and deletes it. If the record of an earlier update's Job has
        the trained model, it only deletes that Job.
        """
        await asyncio.to_thread(lambda: self._cluster)
        if isinstance(record, TrainedRecord):
            await self._end_job()
            return
        where = f"the namespace {self._cluster.namespace}"
        found = await asyncio.to_thread(self._cluster.find_job, self._name)
        if found is not None and (found.failure or found.deleted):
            await self._delete_job()
            found = None
        self._job_is_ours = True
        if found is None:
            yield PhaseEvent("load", f"starting the Job {self._name} in {where}", 0)
            found = await self._create_job()
        else:
            yield LogEvent("info", f"continuing with the Job {self._name} of an earlier update, in {where}")
        await self._give_access(found)
        while True:
            job, pods = await self._look()
            for event in await asyncio.to_thread(self._follower.new_events, pods):
                yield event
            if job is None:
                raise PluginError(
                    f"the Job {self._name} was deleted in {where}", "`pulumi up` continues from the last checkpoint"
                )
            if job.complete:
                break
            failure = job.failure or (KILLED_FOR_MEMORY if any(one.killed_for_memory for one in pods) else "")
            if failure:  # after a kill for memory, another attempt would need as much
                self._ended = self._follower.ending(pods, failure)
                break
            await asyncio.sleep(POLL_SECONDS)
        await self._end_job()

    async def _end_job(self) -> None:
        self._job_is_ours = False
        await self._delete_job()
        await asyncio.to_thread(self._files.remove)

    async def _create_job(self) -> JobState:
        await asyncio.to_thread(self._files.upload)
        request = self._submission.request
        job = job_objects.job(request.run_id, request.job.compute)
        latest = time.monotonic() + END_SECONDS
        while True:
            try:
                return await asyncio.to_thread(self._cluster.create_job, job)
            except ObjectExists:  # the cluster is still deleting an earlier one
                if time.monotonic() > latest:
                    raise PluginError(
                        f"the Job {self._name} is still being deleted in the namespace {self._cluster.namespace}",
                        f"find out why: kubectl -n {self._cluster.namespace} get job {self._name} -o yaml",
                    ) from None
                await asyncio.sleep(POLL_SECONDS)

    async def _give_access(self, job: JobState) -> None:
        """Gives the pod new URLs, also in a Job of an earlier update, whose URLs may have expired."""
        access = await asyncio.to_thread(self._files.access)
        run_id = self._submission.request.run_id
        owner = {"apiVersion": "batch/v1", "kind": "Job", "name": self._name, "uid": job.uid}
        code = await asyncio.to_thread(job_objects.pack_code)
        await asyncio.to_thread(self._cluster.put_config_map, job_objects.code_map(run_id, code, owner))
        if self._submission.request.job.compute.nodes > 1:
            policy = job_objects.network_policy(run_id, owner)
            await asyncio.to_thread(self._cluster.put_network_policy, policy)
        await asyncio.to_thread(self._cluster.put_secret, job_objects.access_secret(run_id, access, owner))

    async def _look(self) -> tuple[JobState | None, list[PodState]]:
        """Returns the Job and its pods, once the cluster answers."""
        latest = time.monotonic() + SILENCE_SECONDS
        while True:
            try:
                job = await asyncio.to_thread(self._cluster.find_job, self._name)
                return job, await asyncio.to_thread(self._cluster.pods, self._labels)
            except ClusterSilent:
                if time.monotonic() > latest:
                    raise
                await asyncio.sleep(POLL_SECONDS)

    async def _delete_job(self) -> None:
        await asyncio.to_thread(self._cluster.delete_job, self._name)
        latest = time.monotonic() + END_SECONDS
        while time.monotonic() < latest:
            job, pods = await self._look()
            if job is None and not pods:
                return
            await asyncio.sleep(POLL_SECONDS / 4)


@dataclass(frozen=True)
class _RunFiles:
    """The run's files in the store: its record, and the parcel with the program's files."""

    submission: Submission
    store: Store

    @property
    def run_id(self) -> str:
        return self.submission.request.run_id

    def find_record(self, fence: Fence) -> Record | None:
        """Returns the run's record. Raises PluginError if its model is of other code."""
        request = self.submission.request
        try:
            record = Records(self.store, request.run_key, self.run_id, fence).load()
        except CheckpointError:  # the pod reports it, and starts from the beginning
            return None
        if isinstance(record, TrainedRecord | SealedRecord) and is_of_other_code(record, request.job):
            raise PluginError(
                "the code of the run's model reads files that no digest covers, and they may differ in this modelPath",
                "set retrainTrigger to train the model again",
            )
        return record

    def upload(self) -> None:
        """Stores the parcel. Raises PluginError for a file that cannot be sent, and the store's errors."""
        request = self.submission.request
        try:
            files = parcel.find_files(request.job, self.submission.code_folder)
        except TrainingError as error:
            raise PluginError(error.message, error.hint) from None
        self.store.delete(INPUTS, self.run_id)
        with self.store.create(INPUTS, self.run_id) as file:
            parcel.pack(files, request.run_key, self.run_id, file.write)

    def access(self) -> bytes:
        """Returns the access of the pod, with new URLs. Raises StoreUnwritable."""
        access = PodAccess(
            request=write_request(self.submission.request).decode(),
            parcel_url=sign_url(self.store, INPUTS, self.run_id, "GET"),
            record_get_url=sign_url(self.store, RECORDS, self.run_id, "GET"),
            record_put_url=sign_url(self.store, RECORDS, self.run_id, "PUT"),
            meeting_get_url=sign_url(self.store, INPUTS, self.run_id + MEETING, "GET"),
            meeting_put_url=sign_url(self.store, INPUTS, self.run_id + MEETING, "PUT"),
        )
        return write_access(access)

    def remove(self) -> None:
        """Removes the parcel and the address of the first pod."""
        for name in (self.run_id, self.run_id + MEETING):
            self.store.delete(INPUTS, name)


class _Follower:
    """Follows the pods of a Job: the log of the first, errors of the others, and what they wait for."""

    def __init__(self, cluster: ClusterNamespace, compute: Compute) -> None:
        self._cluster, self._compute = cluster, compute
        self._waiting = ""
        self._waits_since = self._read_at = time.monotonic()
        self._last_time = ""
        self._last_lines: deque[str] = deque(maxlen=LAST_LINES)
        self._ended: set[str] = set()

    def new_events(self, pods: Sequence[PodState]) -> list[Event]:
        """Returns what is new since the last call. Raises PluginError if a pod does not start in time."""
        newest = {pod.index: pod for pod in reversed(pods)}
        for pod in newest.values():
            if pod.waiting:
                return self._wait(pod)
        self._waits_since = time.monotonic()
        events = [event for pod in newest.values() if pod.index for event in self._errors(pod)]
        if 0 in newest:
            lines = self._new_lines(newest[0].name)
            events += [event for line in lines if (event := self._read(line)) is not None]
        return events

    def ending(self, pods: Sequence[PodState], failure: str) -> Ending:
        """Returns the end of a failed Job."""
        memory = parse(self._compute.memory)
        failed = [pod for pod in pods if pod.exit_code]
        if not failed:
            raise PluginError(f"the Job failed: {failure}", "`pulumi up` continues from the last checkpoint")
        killed = any(pod.killed_for_memory for pod in failed)
        exit_code = -signal.SIGKILL if killed else failed[0].exit_code
        return Ending(exit_code, "\n".join([*self._last_lines, failure]), 0 if memory is None else int(memory.amount))

    def _errors(self, pod: PodState) -> list[Event]:
        """Returns the error that ended another pod than the first, once."""
        if pod.exit_code != FAILED or pod.name in self._ended:
            return []
        self._ended.add(pod.name)
        found = (read_event(line.partition(" ")[2].encode()) for line in self._log(pod.name, WHOLE_SECONDS))
        return [event for event in found if isinstance(event, ErrorEvent)]

    def _wait(self, pod: PodState) -> list[Event]:
        if time.monotonic() - self._waits_since > START_SECONDS:
            raise PluginError(
                f"the pod {pod.name} has not started in {START_SECONDS} seconds: {pod.waiting}",
                f"see kubectl -n {self._cluster.namespace} describe pod {pod.name}; `pulumi up` starts again",
            )
        if pod.waiting == self._waiting:
            return []
        self._waiting = pod.waiting
        return [PhaseEvent("load", f"waiting for the pod {pod.name}: {pod.waiting}", 0)]

    def _new_lines(self, pod: str) -> list[str]:
        """Returns the new lines of the log, without their times."""
        since_seconds = math.ceil(time.monotonic() - self._read_at) + OVERLAP_SECONDS
        self._read_at = time.monotonic()
        timed = [line.partition(" ") for line in self._log(pod, since_seconds)]
        new = [(stamp, line) for stamp, _, line in timed if stamp > self._last_time]
        self._last_time = new[-1][0] if new else self._last_time
        return [line for _, line in new]

    def _log(self, pod: str, since_seconds: int) -> list[str]:
        try:
            return self._cluster.log(pod, since_seconds).splitlines()
        except ClusterSilent:
            return []

    def _read(self, line: str) -> Event | None:
        """Returns the event of a line, other than a result, which a pod never sends. Keeps other lines."""
        event = read_event(line.encode())
        if event is None:
            self._last_lines.append(line[:LONGEST_LINE])
        return None if isinstance(event, ResultEvent) else event
