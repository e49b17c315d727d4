"""A cluster whose Jobs do what a test says."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from components.plugin.cluster import ClusterSilent, JobState, ObjectExists, PodState

RUNNING = PodState("pod-0", 0, "", None, killed_for_memory=False)
STARTED = JobState("uid", complete=False, failure="", deleted=False)
COMPLETE = replace(STARTED, complete=True)


@dataclass
class FakeCluster:
    """`look` is called before each look at the Job, with the number of earlier looks."""

    look: Callable[["FakeCluster", int], None]
    namespace: str = "team"
    job: JobState | None = None
    pod: PodState | None = None
    others: list[PodState] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    lines_of_others: list[str] = field(default_factory=list)
    silent: bool = False
    said: list[str] = field(default_factory=list)
    looks: int = 0
    secrets: list[dict[str, Any]] = field(default_factory=list)

    def create_job(self, job: dict[str, Any]) -> JobState:
        if self.job is not None:
            raise ObjectExists
        self.said.append(f"create {job['metadata']['name']}")
        self.job = STARTED
        return self.job

    def find_job(self, name: str) -> JobState | None:
        if "create" in " ".join(self.said) or self.job is not None:
            self.look(self, self.looks)
            self.looks += 1
        if self.silent:
            raise ClusterSilent("the cluster does not answer")
        return self.job

    def delete_job(self, name: str) -> None:
        self.said.append(f"delete {name}")
        self.job = self.pod = None
        self.others = []

    def put_secret(self, secret: dict[str, Any]) -> None:
        self.secrets.append(secret)

    def put_network_policy(self, policy: dict[str, Any]) -> None:
        self.said.append("policy")

    def put_config_map(self, config_map: dict[str, Any]) -> None:
        self.said.append("code")

    def pods(self, labels: str) -> list[PodState]:
        return [] if self.pod is None else [*self.others, self.pod]

    def log(self, pod: str, since_seconds: int) -> str:
        lines = self.lines if pod == RUNNING.name else self.lines_of_others
        return "".join(f"2027-01-01T00:00:{number:02}.000000000Z {line}\n" for number, line in enumerate(lines))
