"""Jobs: ready when they have succeeded. The Job itself counts the crashes of its pods (backoffLimit)."""

from airgap.plugins.kubernetes.conditions.pod import pod_errors, pod_troubles
from airgap.plugins.kubernetes.conditions.verdict import Snapshot, Trouble, Verdict, WaitSoFar
from airgap.plugins.kubernetes.objects import (
    Object,
    conditions_of,
    container_statuses,
    dig,
    is_owned_by,
    name_of,
    qualified_name,
)


def job(snapshot: Snapshot, so_far: WaitSoFar) -> Verdict:
    live = snapshot.live
    state = live.get("status", {})
    start = f'Waiting for Job "{_display_name(live)}" to start'
    if not state.get("startTime"):
        return Verdict(status=(start,), reasons=(start,))
    counts = " | ".join(f"{word}: {state.get(word.lower(), 0)}" for word in ("Active", "Succeeded", "Failed"))
    succeed = f'Waiting for Job "{_display_name(live)}" to succeed ({counts})'
    conditions = conditions_of(live)
    if conditions.get("Complete", {}).get("status") == "True":
        return Verdict(done=True, status=(start, succeed))
    pods = [pod for pod in snapshot.pods if is_owned_by(pod, live)]
    failed = conditions.get("Failed", {})
    if failed.get("status") == "True":
        text = f"[{failed.get('reason')}] {failed.get('message')}"
        return Verdict(status=(succeed,), troubles=(Trouble(text, logs_of=_last_failure(pods)),))
    troubles = [trouble for pod in pods for trouble in pod_troubles(pod, snapshot, so_far, crashes=False)]
    errors = [f"[Pod {qualified_name(pod)}]: {pod_errors(pod)}" for pod in pods if pod_errors(pod)]
    return Verdict(status=(start, succeed), troubles=tuple(troubles), reasons=(succeed, *errors))


def _display_name(live: Object) -> str:
    return qualified_name(live).removeprefix("default/")


def _last_failure(pods: list[Object]) -> tuple[str, str, bool] | None:
    """Returns pod and container of the last failed run."""
    failed = [
        (str(dig(status, "state", "terminated", "finishedAt", default="")), name_of(pod), str(status["name"]))
        for pod in pods
        for status in container_statuses(pod)
        if dig(status, "state", "terminated", "exitCode", default=0) != 0
    ]
    if not failed:
        return None
    _, pod_name, container = max(failed)
    return pod_name, container, False
