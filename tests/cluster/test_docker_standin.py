"""Container, Network and RemoteImage on the real Docker engine: made, unchanged, replaced, gone without a trace."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.cluster import Cluster
from tests.stack import Stack

PROGRAM = """
import pulumi, pulumi_docker as docker
config = pulumi.Config()
network = docker.Network("net", internal=False)
image = docker.RemoteImage("tool", name=config.require("image"), keep_locally=True)
web = docker.Container(
    "web", image=image.image_id, must_run=True, read_only=True,
    command=["python3", "-m", "http.server", "8000"], envs=[f"COLOUR={config.require('colour')}"],
    networks_advanced=[docker.ContainerNetworksAdvancedArgs(name=network.name)],
    ports=[docker.ContainerPortArgs(internal=8000, ip="127.0.0.1")],
    labels=[docker.ContainerLabelArgs(label="test", value="yes")], wait=True,
    healthcheck=docker.ContainerHealthcheckArgs(tests=["CMD", "true"], interval="1s", start_period="2m0s"),
    memory=config.require_int("memory"), memory_swap=config.require_int("memory"),
)
pulumi.export("web", web.name)
pulumi.export("network", network.name)
pulumi.export("digest", image.repo_digest)
"""


@pytest.fixture
def stack(cluster: Cluster, tmp_path: Path) -> Iterator[Stack]:
    """The program's stack; destroyed at the end whatever happened."""
    reference = f"{os.environ['SEALIFT_REGISTRY']}/sealift-test-base:1"
    subprocess.run(["docker", "tag", os.environ["SEALIFT_BASE_IMAGE"], reference], check=True)
    subprocess.run(["docker", "push", "-q", reference], check=True, capture_output=True)
    made = Stack.of(PROGRAM, project="docker-test", home=tmp_path)
    made.set_config("image", reference)
    made.set_config("colour", "red")
    made.set_config("memory", 64)
    yield made
    made.destroy().ok()


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout


def test_a_container_lives_and_goes_with_its_stack(stack: Stack) -> None:
    stack.up().ok()
    first = stack.outputs()
    assert "COLOUR=red" in docker("inspect", first["web"])
    assert first["network"] in docker("inspect", first["web"])
    assert "@sha256:" in first["digest"]
    stack.preview("--expect-no-changes").ok()
    assert "unchanged" in stack.refresh().ok().text

    stack.set_config("colour", "blue")
    assert stack.preview_steps()["docker:index/container:Container"]["op"] == "replace"
    stack.up().ok()
    second = stack.outputs()
    assert "COLOUR=blue" in docker("inspect", second["web"])
    assert first["web"] not in docker("ps", "-a", "--format", "{{.Names}}")

    stack.destroy().ok()
    assert second["web"] not in docker("ps", "-a", "--format", "{{.Names}}")
    assert second["network"] not in docker("network", "ls", "--format", "{{.Name}}")


def test_memory_is_changed_while_it_runs(stack: Stack) -> None:
    stack.up().ok()
    before = stack.outputs()
    stack.set_config("memory", 96)

    step = stack.preview_steps()["docker:index/container:Container"]
    assert step["op"] == "update"
    assert step["detailedDiff"].keys() == {"memory", "memorySwap"}
    stack.up().ok()

    assert stack.outputs()["web"] == before["web"]
    assert docker("inspect", "--format", "{{.HostConfig.Memory}}", before["web"]).strip() == str(96 * 2**20)
    stack.preview("--expect-no-changes").ok()


def test_a_container_that_cannot_start_leaves_nothing(stack: Stack) -> None:
    program = stack.folder / "__main__.py"
    program.write_text(PROGRAM.replace('"python3", "-m", "http.server", "8000"', '"no-such-program"'))

    said = stack.up().failed().text

    assert "no-such-program" in said
    assert "test=yes" not in docker("ps", "-a", "--format", "{{.Labels}}")


IMAGE = """
import pulumi, pulumi_docker as docker
config = pulumi.Config()
build = docker.DockerBuildArgs(context="context", platform="linux/amd64", builder_version="BuilderV1")
image = docker.Image("made", image_name=config.require("image") + "-made", build=build)
pulumi.export("digest", image.repo_digest)
"""


def test_a_build_shows_a_few_lines_and_on_failure_the_whole_log(stack: Stack) -> None:
    (stack.folder / "__main__.py").write_text(IMAGE)
    recipe = stack.folder / "context" / "Dockerfile"
    recipe.parent.mkdir()
    base = os.environ["SEALIFT_BASE_IMAGE"]
    recipe.write_text(f"FROM {base}\n" + "".join(f"RUN echo word-{number}\n" for number in range(20)))
    up = stack.up().ok()
    assert "word-19" not in up.text.replace("RUN echo word-19", "")
    assert "Removing intermediate container" not in up.text
    assert up.text.count("building, step") < 10

    recipe.write_text(recipe.read_text() + "RUN echo the-last-word && false\n")
    failed = stack.up().failed()
    assert "the image build failed at Step 22/22" in failed.text
    assert "Step 3/22" in failed.text and "the-last-word" in failed.text
