"""The stack that Docker alone serves: up, answers, unchanged, changed, gone without a trace; no secret in the clear."""

import json
import re
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.cluster import Cluster, infer_request, post
from tests.cluster.conftest import checkout, free_node_port, made_stack
from tests.stack import Stack

LOOK = """
import json, os
print(json.dumps({
    "uid": os.getuid(),
    "files": {path: oct(os.stat(path).st_mode) for path in FILES},
    "owners": sorted({os.stat(path).st_uid for path in FILES}),
    "writable": [path for path in FOLDERS if os.access(path, os.W_OK)],
}))
"""
FILES = ("/etc/sealift/key/private.pem", "/etc/sealift/manifest/manifest.json", "/etc/sealift/access/access.json")
FOLDERS = ("/", "/etc/sealift", "/etc/sealift/key", "/opt/sealift", "/home")


@pytest.fixture(scope="module")
def laptop(cluster: Cluster, home: Path) -> Iterator[Stack]:
    """The laptop stack, up."""
    stack = made_stack(home, checkout(home / "laptop"), "laptop")
    stack.set_config("container.port", free_node_port())
    stack.up().ok()
    yield stack
    stack.destroy().ok()


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout


def inspected(stack: Stack) -> Any:
    return json.loads(docker("inspect", stack.outputs()["container"]))[0]


def ask(stack: Stack, key: str) -> tuple[int, Any]:
    outputs = stack.outputs(secrets=True)
    url = f"{outputs['url']}/v2/models/{outputs['modelName']}/infer"
    return post(url, infer_request(outputs["example"]["inputs"]), key)


def test_a_real_row_gets_the_answer_that_training_recorded_and_nobody_else_gets_one(laptop: Stack) -> None:
    outputs = laptop.outputs(secrets=True)

    status, answer = ask(laptop, outputs["apiKeys"]["default"])

    assert status == 200
    assert answer["outputs"][0]["data"] == pytest.approx(outputs["example"]["expected"][0], rel=1e-4)
    assert ask(laptop, "")[0] == 401
    with urllib.request.urlopen(f"{outputs['url']}/", timeout=10) as page:
        assert b"<html" in page.read()


def test_it_is_healthy_closed_to_other_machines_and_without_rights(laptop: Stack) -> None:
    found = inspected(laptop)

    assert found["State"]["Health"]["Status"] == "healthy"
    assert found["Config"]["User"].partition(":")[0] == "65532"
    assert found["HostConfig"]["CapDrop"] == ["ALL"]
    bindings = [one for ports in found["HostConfig"]["PortBindings"].values() for one in ports]
    assert {one["HostIp"] for one in bindings} == {"127.0.0.1"}
    assert found["HostConfig"]["Memory"] == found["HostConfig"]["MemorySwap"] == 256 * 2**20


def test_the_server_reads_its_files_and_writes_to_none(laptop: Stack) -> None:
    script = LOOK.replace("FILES", repr(FILES)).replace("FOLDERS", repr(FOLDERS))

    seen = json.loads(docker("exec", laptop.outputs()["container"], "python3", "-c", script))

    assert seen["uid"] == 65532
    assert set(seen["files"].values()) == {"0o100440"}
    assert seen["owners"] == [0]
    assert seen["writable"] == []


def test_no_secret_is_in_what_the_engine_or_the_state_shows(laptop: Stack) -> None:
    outputs = laptop.outputs(secrets=True)
    pem_line = outputs["privateKey"].splitlines()[1]
    shown = json.dumps(inspected(laptop)) + docker("logs", outputs["container"]) + laptop.exported()

    assert pem_line not in shown
    assert outputs["apiKeys"]["default"] not in shown


def test_a_second_up_changes_nothing_and_a_new_port_replaces_it(laptop: Stack) -> None:
    laptop.preview("--expect-no-changes").ok()
    before = laptop.outputs()
    laptop.set_config("container.port", free_node_port())

    steps = laptop.preview_steps()
    assert steps["docker:index/container:Container"]["op"] == "replace"
    assert "sealift:index:TrainingRun" not in steps and "docker:index/image:Image" not in steps
    laptop.up().ok()

    after = laptop.outputs(secrets=True)
    assert after["url"] != before["url"]
    assert ask(laptop, after["apiKeys"]["default"])[0] == 200
    assert before["container"] not in docker("ps", "-a", "--format", "{{.Names}}")


def test_the_preview_of_a_new_model_shows_what_changes_and_that_nothing_answers_meanwhile(laptop: Stack) -> None:
    laptop.set_config("training.learningRate", 0.0123)

    step = laptop.preview_steps()["docker:index/container:Container"]
    said = laptop.preview().ok().text

    assert step["op"] == "replace"
    assert {re.split(r"[.\[]", path)[0] for path in step["replaceReasons"]} == {"command", "image", "uploads"}
    assert "Requests fail" in said


def test_the_preview_of_a_port_that_something_else_has_is_refused(laptop: Stack) -> None:
    kept = (laptop.folder / "Pulumi.laptop.yaml").read_text()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        laptop.set_config("container.port", port)
        said = laptop.preview().failed().text
    (laptop.folder / "Pulumi.laptop.yaml").write_text(kept)

    assert f"port is {port}, but another program on this machine uses it" in said


def test_destroy_leaves_no_container_and_no_key_on_the_disk(cluster: Cluster, home: Path) -> None:
    own = home / "of-its-own"
    own.mkdir()
    stack = made_stack(own, checkout(home / "gone"), "laptop")
    stack.set_config("container.port", free_node_port())
    stack.set_config("container.auth", "none")
    said = stack.up().ok().text
    name, found = stack.outputs()["container"], inspected(stack)
    layer = Path((found["GraphDriver"]["Data"] or {}).get("UpperDir", "/none"))
    key = layer / "etc/sealift/key/private.pem"
    on_disk = key.exists()

    stack.destroy().ok()

    assert "auth is 'none'" in said
    assert name not in docker("ps", "-a", "--format", "{{.Names}}")
    assert not layer.exists(), "the key lies there until the container ends, as the documents say"
    assert on_disk or found["Driver"] != "overlay2"
