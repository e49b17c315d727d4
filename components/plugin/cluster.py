"""The cluster's API, as far as a training Job needs it, through the official client. The kubeconfig file is chosen as
by kubectl: KUBECONFIG, then ~/.kube/config; in a pod without one, the pod's service account.

The client takes half a second to import, so it is imported when a Job is used. All calls block.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from components.plugin.job_quota import Quota
from sealift.provider import PluginError

R = TypeVar("R")
Spec = dict[str, Any]

REQUEST_SECONDS: Final = 20
BAD_REQUEST, MISSING, CONFLICT = 400, 404, 409
KILLED_FOR_MEMORY: Final = "OOMKilled"
INDEX: Final = "batch.kubernetes.io/job-completion-index"


class ClusterSilent(PluginError):
    """The cluster does not answer."""


class ObjectExists(Exception):
    """An object of this name exists already."""


class NoSuchObject(Exception):
    """There is no object of this name, or it has no log yet."""


@dataclass(frozen=True)
class PodState:
    """A pod, which is number `index` of its Job. `waiting` says why it does not run yet, such as "Unschedulable: 0/1
    nodes are available", or is empty. `exit_code` is None until its container has ended.
    """

    name: str
    index: int
    waiting: str
    exit_code: int | None
    killed_for_memory: bool


@dataclass(frozen=True)
class JobState:
    """A Job. `failure` is the reason if it has failed, otherwise empty. `deleted`: it is being deleted."""

    uid: str
    complete: bool
    failure: str
    deleted: bool


class ClusterNamespace:
    """One namespace of a cluster. Methods raise PluginError if the cluster refuses, and ClusterSilent."""

    def __init__(self, namespace: str, context: str | None) -> None:
        import kubernetes
        import urllib3

        self.namespace = namespace
        self._errors = (kubernetes.client.ApiException, urllib3.exceptions.HTTPError, OSError)
        try:
            client = _connect(kubernetes, context)
        except (kubernetes.config.ConfigException, OSError) as error:
            raise PluginError(
                f"compute.kind is 'job', but no cluster is configured: {error}",
                "set KUBECONFIG or compute.context, or set compute.kind to 'local'",
            ) from None
        self._batch, self._core = kubernetes.client.BatchV1Api(client), kubernetes.client.CoreV1Api(client)
        self._network = kubernetes.client.NetworkingV1Api(client)

    def create_job(self, job: Spec) -> JobState:
        """Creates a Job. Raises ObjectExists."""
        return _job_state(self._ask(self._batch.create_namespaced_job, self.namespace, job))

    def find_job(self, name: str) -> JobState | None:
        """Returns a Job, or None if there is none of this name."""
        try:
            return _job_state(self._ask(self._batch.read_namespaced_job, name, self.namespace))
        except NoSuchObject:
            return None

    def delete_job(self, name: str) -> None:
        """Asks for the deletion of a Job and its pods; what else it owns follows. Does nothing if it does not exist."""
        try:
            self._ask(self._batch.delete_namespaced_job, name, self.namespace, propagation_policy="Foreground")
        except NoSuchObject:
            return

    def put_secret(self, secret: Spec) -> None:
        """Creates or replaces a Secret."""
        self._put(self._core.create_namespaced_secret, self._core.replace_namespaced_secret, secret)

    def put_network_policy(self, policy: Spec) -> None:
        """Creates or replaces a NetworkPolicy."""
        create, replace = (
            self._network.create_namespaced_network_policy,
            self._network.replace_namespaced_network_policy,
        )
        self._put(create, replace, policy)

    def put_config_map(self, config_map: Spec) -> None:
        """Creates or replaces a ConfigMap."""
        self._put(self._core.create_namespaced_config_map, self._core.replace_namespaced_config_map, config_map)

    def quotas(self) -> list[Quota]:
        """Returns the namespace's quotas. Raises PluginError if the namespace does not exist."""
        try:
            self._ask(self._core.read_namespace, self.namespace)
        except NoSuchObject:
            raise PluginError(
                f"the namespace {self.namespace!r} for the training Job does not exist",
                f"create it, or set compute.namespace to another one: kubectl create namespace {self.namespace}",
            ) from None
        except PluginError:  # the account may use the namespace, and not read it
            pass
        found: Any = self._ask(self._core.list_namespaced_resource_quota, self.namespace)
        return [Quota(one.metadata.name, one.status.hard or {}, one.status.used or {}) for one in found.items]

    def pods(self, labels: str) -> list[PodState]:
        """Returns the pods with these labels, the newest first."""
        found = self._ask(self._core.list_namespaced_pod, self.namespace, label_selector=labels).items
        return [_pod_state(pod) for pod in sorted(found, key=_creation, reverse=True)]

    def log(self, pod: str, since_seconds: int) -> str:
        """Returns the last lines of a pod, each after its time. Returns "" if the pod has none yet."""
        read: Callable[..., Any] = self._core.read_namespaced_pod_log
        options = {"timestamps": True, "_preload_content": False}
        try:
            said = self._ask(read, pod, self.namespace, since_seconds=since_seconds, **options)
        except NoSuchObject:
            return ""
        content: bytes = said.data
        return content.decode(errors="replace")

    def _put(self, create: Callable[..., object], replace: Callable[..., object], item: Spec) -> None:
        try:
            self._ask(create, self.namespace, item)
        except ObjectExists:
            self._ask(replace, item["metadata"]["name"], self.namespace, item)

    def _ask(self, call: Callable[..., R], *arguments: object, **options: object) -> R:
        try:
            return call(*arguments, **options, _request_timeout=REQUEST_SECONDS)
        except self._errors as error:
            raise self._explain(error) from None

    def _explain(self, error: Exception) -> Exception:
        status, body = getattr(error, "status", 0), str(getattr(error, "body", ""))
        if status == CONFLICT:
            return ObjectExists()
        if status == MISSING or (status == BAD_REQUEST and "is waiting to start" in body):
            return NoSuchObject()
        if not status or status >= 500:
            return ClusterSilent(
                f"the cluster does not answer: {type(error).__name__}", "check the kubeconfig file and compute.context"
            )
        return PluginError(
            f"the cluster refused a request in the namespace {self.namespace!r}: {_message(body) or status}",
            "check compute.namespace, and that your account may create, get, list, replace and delete Jobs, Secrets, "
            "ConfigMaps and pods, and get pods/log",
        )


def _connect(kubernetes: Any, context: str | None) -> Any:
    try:
        return kubernetes.config.new_client_from_config(context=context)
    except kubernetes.config.ConfigException:
        if context is not None:
            raise
        configuration = kubernetes.client.Configuration()
        kubernetes.config.load_incluster_config(client_configuration=configuration)
        return kubernetes.client.ApiClient(configuration)


def _message(body: str) -> str:
    """Returns the message of the API's Status object."""
    try:
        return str(json.loads(body)["message"])
    except (ValueError, LookupError, TypeError):
        return ""


def _job_state(job: Any) -> JobState:
    conditions = {one.type: one for one in job.status.conditions or () if one.status == "True"}
    failed = conditions.get("Failed")
    failure = "" if failed is None else f"{failed.reason}: {failed.message}"
    deleted = job.metadata.deletion_timestamp is not None
    return JobState(job.metadata.uid, "Complete" in conditions, failure, deleted)


def _creation(pod: Any) -> Any:
    return pod.metadata.creation_timestamp


def _pod_state(pod: Any) -> PodState:
    statuses = pod.status.container_statuses or ()
    waiting = [one.state.waiting for one in statuses if one.state.waiting is not None]
    ended = [one.state.terminated for one in statuses if one.state.terminated is not None]
    unscheduled = [one for one in pod.status.conditions or () if one.type == "PodScheduled" and one.status == "False"]
    why = [f"{one.reason}: {one.message}" if one.message else str(one.reason) for one in (*unscheduled, *waiting)]
    return PodState(
        pod.metadata.name,
        int((pod.metadata.annotations or {}).get(INDEX, 0)),
        "; ".join(why),
        ended[0].exit_code if ended else None,
        any(one.reason == KILLED_FOR_MEMORY for one in ended),
    )
