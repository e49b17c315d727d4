"""The stand-ins do what the official plugins did: a recorded program is run again, and its steps and outputs are
compared.

`recorded/` is what the official docker and kubernetes plugins did on the real engine, Docker, registry and
Kubernetes; the program is the recorded one, but for the registry, the base image and the node port. With official
plugins in the environment it holds them to their own recording.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.conftest import free_node_port
from tests.stack import Stack

HERE = Path(__file__).parent / "official_program"
RECORDED = HERE / "recorded"
CHANGES = ["replicas", "image", "configmap", "secret", "quota", "selector", "remove"]
VOLATILE = frozenset({"managedFields", "status", "uid", "resourceVersion", "creationTimestamp", "generation"})
"""What differs from one cluster and moment to the next; `status` is as full as its object is old."""
PROJECT = "name: recorded\nruntime:\n  name: python\n  options: {virtualenv: %s}\n"


@pytest.fixture(scope="module")
def replayed(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The recorded program, up."""
    home = tmp_path_factory.mktemp("replay")
    folder = home / "program"
    shutil.copytree(HERE / "app", folder / "app")
    dockerfile = folder / "app" / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text().replace("BASE", os.environ["SEALIFT_BASE_IMAGE"]))
    program = (HERE / "program.py.txt").read_text()
    program = program.replace("localhost:5000", os.environ["SEALIFT_REGISTRY"]).replace("30081", str(free_node_port()))
    (folder / "__main__.py").write_text(program)
    (folder / "Pulumi.yaml").write_text(PROJECT % Stack.virtualenv())
    stack = Stack(folder, name="rec", home=home)
    stack.init()
    stack.up().ok()
    yield stack
    stack.run("cancel", "--yes", "rec")
    stack.destroy().ok()


def recorded(name: str) -> Any:
    return json.loads((RECORDED / name).read_text())


def steps_of(stack: Stack, change: str) -> list[dict[str, Any]]:
    """The steps of a preview that change something, as the recording has them."""
    with_change = replace(stack, environment={"CHANGE": change})
    text = with_change.preview("--json").ok().text
    found = []
    for step in json.loads(text[text.index("{\n") :])["steps"]:
        kind, name = step["urn"].split("::")[2].split("$")[-1], step["urn"].split("::")[-1]
        if step["op"] == "same" or kind.startswith("pulumi:"):
            continue
        wanted = {"op": step["op"], "type": kind, "name": name}
        wanted |= {key: step[key] for key in ("replaceReasons", "detailedDiff") if step.get(key)}
        found.append(wanted)
    return sorted(found, key=lambda item: (item["type"], item["name"]))


def recorded_steps(name: str) -> list[dict[str, Any]]:
    return sorted(recorded("steps.json")[name], key=lambda item: (item["type"], item["name"]))


def test_nothing_changed_is_no_step(replayed: Stack) -> None:
    assert steps_of(replayed, "none") == recorded_steps("02-nochange")


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_previews_the_recorded_steps_reasons_and_differences(replayed: Stack, change: str) -> None:
    assert steps_of(replayed, change) == recorded_steps(f"03-{change}")


def shape(value: Any, path: str = "") -> Any:
    """Names and JSON types, recursively, without what differs from one cluster and moment to the next; a secret is a
    secret.
    """
    if isinstance(value, dict):
        if "ciphertext" in value:
            return "secret"
        return {key: shape(item) for key, item in sorted(value.items()) if key not in VOLATILE}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return type(value).__name__


def resources(state: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By type and name, without providers and the stack."""
    found = {}
    for item in state["deployment"]["resources"]:
        if not item["type"].startswith("pulumi:"):
            found[f"{item['type']}::{item['urn'].split('::')[-1]}"] = item
    return found


def test_every_output_s_name_type_and_secrecy_is_as_recorded(replayed: Stack) -> None:
    ours, theirs = resources(json.loads(replayed.exported())), resources(recorded("01-create.state.json"))

    assert ours.keys() == theirs.keys()
    for name, resource in theirs.items():
        assert shape(ours[name]["inputs"]) == shape(resource["inputs"]), name
        assert shape(ours[name]["outputs"]) == shape(resource["outputs"]), name
        assert ours[name].get("additionalSecretOutputs") == resource.get("additionalSecretOutputs"), name
        assert without_suffix(ours[name]["id"]) == without_suffix(resource["id"]), name


def without_suffix(resource_id: str) -> str:
    """An id without registry and random parts."""
    return re.sub(
        r"-[0-9a-f]{8}(?=/|$)", "-SUFFIX", resource_id.replace(os.environ["SEALIFT_REGISTRY"], "localhost:5000")
    )


@pytest.mark.parametrize("change", ["image", "configmap"])
def test_an_update_does_the_recorded_steps_and_then_nothing_is_left_to_do(replayed: Stack, change: str) -> None:
    with_change = replace(replayed, environment={"CHANGE": change})

    with_change.up().ok()

    assert steps_of(replayed, change) == []


def test_a_refresh_finds_no_drift_and_destroy_leaves_nothing(replayed: Stack, cluster: Cluster) -> None:
    namespace = replayed.outputs()["namespace"]

    refreshed = replace(replayed, environment={"CHANGE": "configmap"}).refresh().ok()
    assert re.search(r"15 unchanged", refreshed.text), refreshed.text

    replayed.destroy().ok()
    assert namespace not in cluster.namespaces()
