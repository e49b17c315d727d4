"""Pods: ready by the official plugin's conditions. Also troubles that keep a pod from ever running, for which that
plugin waits until the time limit.

Troubles are counted from the beginning of the wait: a pod that failed before may now succeed, because its cause is
gone (a registry answers again). Only a new failure shows that it is not.
"""

import re
from typing import Final

from airgap.plugins.kubernetes.conditions.verdict import Snapshot, Trouble, Verdict, WaitSoFar
from airgap.plugins.kubernetes.objects import Object, conditions_of, container_statuses, dig, name_of, qualified_name

PULLING: Final = frozenset({"ErrImagePull", "ImagePullBackOff"})
PULLS_BEFORE_FAILURE: Final = 2
HOPELESS: Final = frozenset({"InvalidImageName", "ErrImageNeverPull"})
MISCONFIGURED: Final = frozenset({"CreateContainerConfigError", "CreateContainerError"})
MISCONFIGURED_SECONDS: Final = 5.0  # a ConfigMap or Secret created at the same time may come a moment later


def pod(snapshot: Snapshot, so_far: WaitSoFar) -> Verdict:
    """Returns the verdict: a pod is scheduled, initialized, then ready or succeeded."""
    live = snapshot.live
    if dig(live, "status", "phase") == "Failed":
        text = pod_errors(live) or dig(live, "status", "message", default="the pod failed")
        return Verdict(troubles=(Trouble(f"pod {name_of(live)}: {text}", logs_of=_ended_container(live)),))
    conditions = conditions_of(live)
    status = []
    steps = (("PodScheduled", "scheduled"), ("Initialized", "initialized"), ("Ready", "ready"))
    for condition_type, word in steps:
        status.append(f'Waiting for Pod "{qualified_name(live)}" to be {word}')
        condition = conditions.get(condition_type, {})
        if condition.get("status") == "True" or dig(live, "status", "phase") == "Succeeded":
            continue
        reasons = [f"[Pod {qualified_name(live)}]: {condition.get('message', '')}{pod_errors(live)}"]
        return Verdict(
            status=tuple(status), troubles=tuple(pod_troubles(live, snapshot, so_far)), reasons=tuple(reasons)
        )
    return Verdict(done=True, status=tuple(status))


def pod_troubles(live: Object, snapshot: Snapshot, so_far: WaitSoFar, *, crashes: bool = True) -> list[Trouble]:
    """Returns what will keep this pod from running. `crashes` is False if the pod's owner counts crashes (a Job)."""
    if "deletionTimestamp" in live["metadata"]:
        return []
    uid = live["metadata"]["uid"]
    before = next((p for p in so_far.first.pods if p["metadata"]["uid"] == uid), None)
    troubles = []
    for status in container_statuses(live):
        where = f"pod {name_of(live)}, container {status['name']}"
        waiting = dig(status, "state", "waiting", default={})
        reason, message = str(waiting.get("reason", "")), str(waiting.get("message", ""))
        if reason in PULLING:
            mended = so_far.first.pull_failures.get(uid, 0) if before is not None else 0
            failures = snapshot.pull_failures.get(uid, 0) - mended
            if failures >= PULLS_BEFORE_FAILURE:
                troubles.append(Trouble(f"{where}: [{reason}] {snapshot.pull_messages.get(uid) or message}"))
        elif reason in HOPELESS:
            troubles.append(Trouble(f"{where}: [{reason}] {message}"))
        elif reason in MISCONFIGURED:
            troubles.append(Trouble(f"{where}: [{reason}] {message}", MISCONFIGURED_SECONDS))
        elif reason == "CrashLoopBackOff" and crashes and _has_restarted(status, before):
            text = f"{where}: [{reason}] {_how_it_ended(status)}"
            troubles.append(Trouble(text, logs_of=(name_of(live), status["name"], True)))
    return troubles


def pod_errors(live: Object) -> str:
    """Returns the errors of its containers, in the official plugin's words, "" if they have none."""
    found = []
    for status in container_statuses(live):
        if status.get("ready"):
            continue
        waiting = dig(status, "state", "waiting", default={})
        if waiting and waiting.get("reason") not in {"ContainerCreating", "PodInitializing"}:
            found.append(f"[{waiting.get('reason')}] {waiting.get('message', '')}".strip())
        ended = dig(status, "state", "terminated", default={})
        if ended and ended.get("exitCode") != 0:
            found.append(f"container {status['name']!r} completed with exit code {ended.get('exitCode')}")
    return "; ".join(found)


def unschedulable(live: Object) -> str:
    """Returns why no node accepts the pod, "" if one does or the scheduler has not tried yet."""
    condition = conditions_of(live).get("PodScheduled", {})
    return str(condition.get("message", "")) if condition.get("status") == "False" else ""


def failed_pulls(events: list[Object]) -> tuple[dict[str, int], dict[str, str]]:
    """Returns number and last message of failed image pulls by pod uid, from the namespace's events."""
    counts: dict[str, int] = {}
    texts: dict[str, str] = {}
    for event in events:
        if event.get("reason") == "Failed" and str(event.get("message", "")).startswith("Failed to pull image"):
            uid = str(dig(event, "involvedObject", "uid", default=""))
            counts[uid] = counts.get(uid, 0) + int(event.get("count") or dig(event, "series", "count", default=1))
            texts[uid] = re.sub(r"rpc error: code = \w+ desc = ", "", str(event["message"]))
    return counts, texts


def _has_restarted(status: Object, before: Object | None) -> bool:
    """Whether the container was restarted since the pod's state `before`, or, if that is None, at any time."""
    past = {old["name"]: int(old.get("restartCount", 0)) for old in container_statuses(before or {})}
    return int(status.get("restartCount", 0)) > past.get(status["name"], 0)


def _how_it_ended(status: Object) -> str:
    ended = dig(status, "lastState", "terminated", default={})
    text = f"exit code {ended.get('exitCode')}" + (f" ({ended['reason']})" if ended.get("reason") else "")
    message = str(ended.get("message", "")).strip()
    return f"{text}: {message}" if message else f"{text} after {status.get('restartCount')} restarts"


def _ended_container(live: Object) -> tuple[str, str, bool] | None:
    for status in container_statuses(live):
        if dig(status, "state", "terminated", "exitCode", default=0) != 0:
            return name_of(live), status["name"], False
    return None
