"""The stand-in's Image takes inputs and shows differences as the official plugin does."""

import asyncio
import json
from pathlib import Path

import pytest

from airgap.plugins.docker.engine import docker_engine
from airgap.plugins.docker.image import Image, split_name
from sealift.provider import UNKNOWN, CheckRequest, DiffRequest, PluginError, Properties, diff_message

RECORDED = Path(__file__).parents[2] / "cluster" / "official_program" / "recorded" / "01-create.state.json"


def asked(inputs: Properties) -> CheckRequest:
    return CheckRequest("urn:pulumi:dev::p::docker:index/image:Image::model", {}, inputs)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("localhost:5000/model:dev", ("localhost:5000/model", "dev")),
        ("localhost:5000/model", ("localhost:5000/model", "latest")),
        ("model:1", ("model", "1")),
        ("registry.example.com/team/model:v1.2", ("registry.example.com/team/model", "v1.2")),
    ],
)
def test_a_port_is_no_tag(name: str, parts: tuple[str, str]) -> None:
    assert split_name(name) == parts


def test_check_fills_in_what_the_official_plugin_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = next(r for r in json.loads(RECORDED.read_text())["deployment"]["resources"] if "Image" in r["type"])
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "Dockerfile").write_text("FROM scratch\n")
    monkeypatch.chdir(tmp_path)
    build: Properties = {
        "context": "app",
        "dockerfile": "app/Dockerfile",
        "platform": "linux/amd64",
        "args": {"MODEL": "a"},
        "builderVersion": "BuilderV1",
    }

    checked = asyncio.run(Image().check(asked({"imageName": "localhost:5000/recorded:1", "build": build})))

    assert checked.failures == []
    assert checked.inputs.keys() == recorded["inputs"].keys()
    completed = checked.inputs["build"]
    assert isinstance(completed, dict)
    assert completed.keys() == recorded["inputs"]["build"].keys()
    assert completed | {"contextDigest": ""} == recorded["inputs"]["build"] | {"contextDigest": ""}


def test_check_adds_to_a_build_its_dockerfile_and_digest_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    monkeypatch.chdir(tmp_path)

    build = asyncio.run(Image().check(asked({"imageName": "model:1", "build": {}}))).inputs["build"]

    assert isinstance(build, dict)
    assert build.keys() == {"context", "dockerfile", "contextDigest"}
    assert (build["context"], build["dockerfile"]) == (".", "Dockerfile")


def test_an_unknown_build_is_left_alone() -> None:
    checked = asyncio.run(Image().check(asked({"imageName": "model:1", "build": UNKNOWN})))

    assert checked.failures == []
    assert checked.inputs["build"] is UNKNOWN


def test_another_build_is_an_update_of_build_and_replaces_nothing() -> None:
    difference = Image().diff(DiffRequest({"build": {"context": "a"}}, {"build": {"context": "b"}}))

    assert {path: change.kind for path, change in difference.detailed_diff.items()} == {"build": "update"}
    assert difference.replaces == []
    assert list(diff_message(difference).diffs) == [], "the official plugin gives no diffReasons"


def test_no_docker_engine_is_said_with_its_address_and_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")

    with pytest.raises(PluginError, match=r"/nonexistent/docker\.sock") as refused, docker_engine():
        pass

    assert "DOCKER_HOST" in refused.value.hint
