"""Waits until an object is ready or deleted, shows the progress, and ends early if it never will be."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from airgap.plugins.kubernetes.cluster import Cluster
from airgap.plugins.kubernetes.conditions import CONDITIONS, Snapshot, Trouble, Verdict, WaitSoFar
from airgap.plugins.kubernetes.errors import ApiRefusal, ClusterUnreachable, InitializationFailed
from airgap.plugins.kubernetes.objects import (
    SKIP_AWAIT,
    TIMEOUT_SECONDS,
    Object,
    ObjectKind,
    annotation,
    dig,
    name_of,
    namespace_of,
)
from airgap.plugins.kubernetes.observe import observe
from airgap.plugins.kubernetes.reviving import revive

DEFAULT_TIMEOUT_SECONDS: Final = 600.0
LOG_LINES: Final = 10
DELETED: Final = "Resource scheduled for deletion"
Show = Callable[[str], Awaitable[None]]


@dataclass(frozen=True)
class Wait:
    """Settings of one operation's wait."""

    cluster: Cluster
    show: Show
    """Replaces the resource's status line."""
    cancelled: asyncio.Event
    timeout_seconds: float
    failed_workloads: list[Object]
    """Workloads of all waits that did not become ready. A Service does not wait for their pods."""


def timeout_seconds(requested: float, inputs: Object) -> float:
    """Returns the time limit: customTimeouts, otherwise the annotation, otherwise ten minutes."""
    annotated = annotation(inputs, TIMEOUT_SECONDS)
    return requested or (float(annotated) if annotated.isdigit() else DEFAULT_TIMEOUT_SECONDS)


async def until_ready(wait: Wait, inputs: Object, live: Object, before: Object | None = None) -> Object:
    """Waits until the object is ready and returns it. Raises InitializationFailed with its last known state."""
    condition = CONDITIONS.get(ObjectKind.of(live))
    if condition is None or annotation(inputs, SKIP_AWAIT) == "true":
        return live
    started = time.monotonic()
    first: Snapshot | None = None
    since: dict[str, float] = {}
    shown: tuple[str, ...] = ()
    while True:
        snapshot = await _look(wait, live)
        live = snapshot.live
        if first is None:
            # On an update, objects in the first snapshot may have failed before. Later failures belong to this wait.
            first = snapshot if before else Snapshot(live)
            if before:
                await asyncio.to_thread(revive, wait.cluster, snapshot)
        elapsed = time.monotonic() - started
        verdict = condition(snapshot, WaitSoFar(first, before, elapsed))
        for line in verdict.status:
            if line not in shown:
                await wait.show(line)
        shown = verdict.status
        if verdict.done:
            await wait.show("")
            return live
        since = {trouble.text: since.get(trouble.text, elapsed) for trouble in verdict.troubles}
        lasting = [t for t in verdict.troubles if elapsed - since[t.text] >= t.lasting_seconds]
        reasons = [await _with_log(wait.cluster, namespace_of(live), trouble) for trouble in lasting]
        reasons = reasons or [
            f"its pods do not start; see {name}" for name in failed_backers(live, wait.failed_workloads)
        ]
        if reasons:
            wait.failed_workloads.append(live)
            message = f"Resource '{name_of(live)}' was created but failed to initialize"
            raise InitializationFailed(message, live, reasons)
        await _pause(wait, live, verdict, elapsed)


def failed_backers(live: Object, failed: Sequence[Object]) -> list[str]:
    """Returns the names of failed workloads whose pods a Service selects, [] for other kinds."""
    selector = dig(live, "spec", "selector", default={})
    if ObjectKind.of(live) != ObjectKind("v1", "Service") or not selector:
        return []
    return [
        f"{workload.get('kind')} {name_of(workload)}"
        for workload in failed
        if namespace_of(workload) == namespace_of(live)
        and selector.items() <= dig(workload, "spec", "template", "metadata", "labels", default={}).items()
    ]


async def one_look(cluster: Cluster, show: Show, inputs: Object, live: Object) -> Object:
    """Reads the object once. Raises InitializationFailed if it is not ready, ApiRefusal if it does not exist."""
    condition = CONDITIONS.get(ObjectKind.of(live))
    if condition is None or annotation(inputs, SKIP_AWAIT) == "true":
        return live
    snapshot = await asyncio.to_thread(observe, cluster, live)
    verdict = condition(snapshot, WaitSoFar(snapshot, snapshot.live, reading=True))
    for line in verdict.status:
        await show(line)
    await show("")
    if verdict.done:
        return snapshot.live
    reasons = [*(trouble.text for trouble in verdict.troubles), *verdict.reasons]
    message = f"Resource '{name_of(live)}' was created but failed to initialize"
    raise InitializationFailed(message, snapshot.live, reasons)


async def until_gone(wait: Wait, live: Object) -> None:
    """Waits until the object is deleted or another has its name. Raises InitializationFailed with what is left."""
    started = time.monotonic()
    shown = False
    while True:
        try:
            now = await asyncio.to_thread(wait.cluster.get, ObjectKind.of(live), namespace_of(live), name_of(live))
        except ApiRefusal as refusal:
            if refusal.is_missing:
                break
            raise
        if dig(now, "metadata", "uid") != dig(live, "metadata", "uid", default=dig(now, "metadata", "uid")):
            break
        if not shown:
            await wait.show(DELETED)
            shown = True
        finalizers = ", ".join(dig(now, "metadata", "finalizers", default=[])) or "none"
        reasons = (f"finalizers might be preventing deletion ({finalizers})",)
        await _pause(wait, now, Verdict(reasons=reasons), time.monotonic() - started, doing="be deleted")
    if shown:
        await wait.show("")


async def _look(wait: Wait, live: Object) -> Snapshot:
    try:
        return await asyncio.to_thread(observe, wait.cluster, live)
    except (ApiRefusal, ClusterUnreachable) as problem:
        missing = isinstance(problem, ApiRefusal) and problem.is_missing
        reason = "it was deleted during the wait" if missing else str(problem)
        message = f"Resource '{name_of(live)}' was created but failed to initialize"
        raise InitializationFailed(message, live, [reason]) from problem


async def _pause(wait: Wait, live: Object, verdict: Verdict, elapsed: float, *, doing: str = "be Ready") -> None:
    """Pauses until the next read. Raises InitializationFailed if the time is over or the engine cancels."""
    if elapsed >= wait.timeout_seconds:
        raise InitializationFailed(f"'{name_of(live)}' timed out waiting to {doing}", live, verdict.reasons)
    pause = 0.2 if elapsed < 5 else 0.5 if elapsed < 60 else 1.0
    try:
        await asyncio.wait_for(wait.cancelled.wait(), min(pause, wait.timeout_seconds - elapsed))
    except TimeoutError:
        return
    raise InitializationFailed(f"Resource operation was cancelled for '{name_of(live)}'", live, verdict.reasons)


async def _with_log(cluster: Cluster, namespace: str, trouble: Trouble) -> str:
    if trouble.logs_of is None:
        return trouble.text
    pod, container, previous = trouble.logs_of
    tail = await asyncio.to_thread(cluster.log_tail, namespace, pod, container, previous=previous, lines=LOG_LINES)
    return f"{trouble.text}\nlast lines of its log:\n{tail.rstrip()}" if tail.strip() else trouble.text
