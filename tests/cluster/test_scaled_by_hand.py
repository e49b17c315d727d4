"""What somebody changed past the program: said with the way out, and taken back by config."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.cluster import Cluster
from tests.stack import Stack

PROGRAM = """
import pulumi
import pulumi_kubernetes as k8s

team = k8s.core.v1.Namespace("team")
labels = {"app": "waiting"}
deployment = k8s.apps.v1.Deployment(
    "waiting",
    metadata={"namespace": team.metadata.name, "annotations": {"pulumi.com/skipAwait": "true"}},
    spec={"replicas": 1, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {
        "nodeSelector": {"there-is": "none"}, "containers": [{"name": "a", "image": "none:1"}]}}},
)
pulumi.export("namespace", team.metadata.name)
pulumi.export("deployment", deployment.metadata.name)
"""
TAKE_BACK = ("kubernetes:enablePatchForce", "true")


@pytest.fixture
def stack(cluster: Cluster, tmp_path: Path) -> Iterator[Stack]:
    made = Stack.of(PROGRAM, project="scaled-test", home=tmp_path)
    yield made
    made.destroy().ok()


def test_after_kubectl_scale_the_message_names_the_config_that_takes_the_field_back(
    stack: Stack, cluster: Cluster
) -> None:
    stack.up().ok()
    known = stack.outputs()

    def replicas() -> int:
        read = cluster.apps.read_namespaced_deployment(known["deployment"], known["namespace"])
        return int(read.spec.replicas)

    subprocess.run(
        ["kubectl", "scale", f"deployment/{known['deployment']}", f"-n{known['namespace']}", "--replicas=3"], check=True
    )
    program = stack.folder / "__main__.py"
    program.write_text(program.read_text().replace('"replicas": 1', '"replicas": 2'))
    for said in (stack.up().failed().text, stack.preview().failed().text):
        assert ".spec.replicas" in said
        assert "kubectl scale" in said
        assert "pulumi config set kubernetes:enablePatchForce true" in said
    assert replicas() == 3

    stack.run("config", "set", *TAKE_BACK, "--stack", stack.name).ok()
    stack.preview().ok()
    stack.up().ok()
    assert replicas() == 2

    stack.run("config", "rm", TAKE_BACK[0], "--stack", stack.name).ok()
    stack.up().ok()
    program.write_text(program.read_text().replace('"replicas": 2', '"replicas": 1'))
    stack.up().ok()
    assert replicas() == 1
