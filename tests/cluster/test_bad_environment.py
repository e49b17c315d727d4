"""What is missing or broken around the stack is said within seconds, with the way out; the next `up` goes on from
there.
"""

import base64
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sealift.sealing import RsaIdentity
from sealift.serving import image_layout
from tests.cluster.cluster import Cluster
from tests.cluster.conftest import checkout, new_stack
from tests.stack import Stack


@pytest.fixture(scope="module")
def stack(cluster: Cluster, home: Path) -> Iterator[Stack]:
    """A dev stack that is not up yet; whatever the tests left is destroyed."""
    made = new_stack(home, checkout(home / "checkout"), epochs=5)
    yield made
    made.run("cancel", "--yes", "dev")
    made.destroy().ok()


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("deployment.replicas", "0", ["replicas", "0"]),
        ("deployment.replicas", "-1", ["replicas", "-1"]),
        ("deployment.memoryLimit", "1Gb", ["memoryLimit", "1Gb", "1Gi"]),
        ("training.learningRate", "abc", ["learningRate", "abc"]),
        ("training.dataset", "mnist", ["dataset", "mnist", "digits"]),
    ],
)
def test_bad_config_is_refused_at_preview(stack: Stack, path: str, value: str, expected: list[str]) -> None:
    said = stack.preview("--config-path", "--config", f"sealift:{path}={value}").failed().text

    for words in expected:
        assert words in said


@pytest.fixture(autouse=True)
def same_config_afterwards(stack: Stack) -> Iterator[None]:
    """`--config` writes what it is given into the stack's file; each test starts from the same one."""
    file = stack.folder / "Pulumi.dev.yaml"
    content = file.read_text()
    yield
    file.write_text(content)


def test_a_quota_below_what_a_rollout_needs_is_refused_at_preview_with_the_numbers(stack: Stack) -> None:
    stack.run("config", "set", "--path", "deployment.quota.requestsCpu", "10m", "--stack", "dev").ok()

    said = stack.preview().failed().text

    assert "quota" in said
    assert re.search(r"\d", said)


def test_no_docker_engine(stack: Stack) -> None:
    without = replace(stack, environment={"DOCKER_HOST": "unix:///nonexistent/docker.sock"})

    said = without.up().failed().text

    assert "/nonexistent/docker.sock" in said


def test_no_registry(stack: Stack) -> None:
    stack.set_config("image.registry", "localhost:9")

    said = stack.up().failed().text

    assert "localhost:9" in said


def test_no_cluster(stack: Stack, tmp_path: Path) -> None:
    without = replace(stack, environment={"KUBECONFIG": str(tmp_path / "nowhere")})

    said = without.up().failed().text

    assert "luster" in said


@pytest.mark.parametrize(("ending", "epochs"), [("kill -9", 5), ("Ctrl-C", 6)])
def test_up_finishes_after_an_image_build_was_ended_and_does_not_train_again(
    stack: Stack, ending: str, epochs: int
) -> None:
    stack.set_config("training.epochs", epochs)
    before = containers()
    process = stack.start("up", "--yes", "--skip-preview", "--stack", "dev")
    assert process.stdout is not None
    for line in process.stdout:
        if "Step" in line:
            break
    if ending == "kill -9":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.send_signal(signal.SIGINT)
    process.communicate()
    stack.run("cancel", "--yes", "dev")

    again = stack.up().ok()

    assert f"epoch {epochs}/{epochs}" not in again.text
    assert containers() == before, "no build container is left"


def containers() -> set[str]:
    """Ids of all containers of the Docker engine, running or not."""
    return set(subprocess.run(["docker", "ps", "-aq"], capture_output=True, text=True, check=True).stdout.split())


def test_a_wrong_private_key_ends_the_pod_with_one_line_that_says_so(stack: Stack, cluster: Cluster) -> None:
    stack.up().ok()
    namespace = stack.outputs()["namespace"]
    secrets = cluster.core.list_namespaced_secret(namespace).items
    name = image_layout.KEY_FILE
    secret = next(secret for secret in secrets if name in secret.data)
    good = secret.data[name]
    wrong = base64.b64encode(RsaIdentity.generate().pem.encode()).decode()
    cluster.core.patch_namespaced_secret(secret.metadata.name, namespace, {"data": {name: wrong}})
    time.sleep(2)  # until the node has heard of it
    pod = next(pod for pod in cluster.pods(namespace) if pod.metadata.deletion_timestamp is None)
    cluster.core.delete_namespaced_pod(pod.metadata.name, namespace)

    message = termination_message(cluster, namespace)

    assert "key" in message
    assert len(message.strip().splitlines()) <= 2
    assert "Traceback" not in message
    cluster.core.patch_namespaced_secret(secret.metadata.name, namespace, {"data": {name: good}})


def termination_message(cluster: Cluster, namespace: str) -> str:
    """What the first pod to fail left for `kubectl describe`."""
    for _ in range(60):
        for pod in cluster.pods(namespace):
            for status in pod.status.container_statuses or []:
                ended = status.last_state.terminated or status.state.terminated
                if ended is not None and ended.exit_code:
                    return str(ended.message)
        time.sleep(1)
    raise AssertionError("no pod failed")
