"""What is asked of the surroundings before an update, and what is said where nothing answers."""

import json
import os
import socket
from pathlib import Path

import pytest

from components.reach import (
    container_at,
    find_missing_kubeconfig,
    find_unserved,
    label_of,
    owner_of_node_port,
    silent_registry,
    user_of_port,
)

SERVICES = {
    "items": [
        {"metadata": {"namespace": "a", "name": "inside"}, "spec": {"ports": [{"port": 80}]}},
        {"metadata": {"namespace": "b", "name": "headless"}, "spec": {}},
        {"metadata": {"namespace": "c", "name": "model"}, "spec": {"ports": [{"port": 8080, "nodePort": 30080}]}},
    ]
}


def test_a_registry_at_which_nothing_listens_is_named_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = f"127.0.0.1:{server.getsockname()[1]}"
        assert silent_registry(f"{place}/models", {}) is None

    said = silent_registry(f"{place}/models", {})

    assert said is not None
    assert said.startswith(f"registry is '{place}/models', but nothing answers at {place} (Connection refused)")


@pytest.mark.parametrize(
    ("registry", "environment"),
    [
        ("localhost:1", {"DOCKER_HOST": "tcp://elsewhere:2376"}),
        ("localhost:1", {"DOCKER_HOST": "ssh://me@elsewhere"}),
        ("registry.invalid:5000", {"HTTPS_PROXY": "http://proxy:3128"}),
    ],
)
def test_what_only_another_machine_could_ask_is_not_taken_for_silence(
    registry: str, environment: dict[str, str]
) -> None:
    assert silent_registry(registry, environment) is None


@pytest.mark.parametrize(
    ("registry", "address"),
    [
        ("ghcr.io/me/models", ("ghcr.io", 443)),
        ("registry:5000/models", ("registry", 5000)),
        ("[::1]:5000", ("::1", 5000)),
        ("[::1]/models", ("::1", 443)),
    ],
)
def test_a_registry_is_asked_at_its_own_port_or_that_of_https(
    monkeypatch: pytest.MonkeyPatch, registry: str, address: tuple[str, int]
) -> None:
    asked: list[object] = []

    def refuse(to: object, seconds: float) -> None:
        asked.append(to)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", refuse)

    assert silent_registry(registry, {}) is not None
    assert asked == [address]


def test_a_registry_of_this_machine_is_asked_in_spite_of_a_proxy() -> None:
    assert silent_registry("localhost:1", {"HTTPS_PROXY": "http://proxy:3128"}) is not None


def test_a_kubeconfig_that_is_not_there_is_named_by_its_variable(tmp_path: Path) -> None:
    file, other = tmp_path / "config", tmp_path / "other"
    file.touch()

    assert find_missing_kubeconfig({}) is None
    assert find_missing_kubeconfig({"KUBECONFIG": os.pathsep.join(map(str, (other, file)))}) is None
    said = find_missing_kubeconfig({"KUBECONFIG": str(other)})
    assert said is not None
    assert said.startswith(f"KUBECONFIG is '{other}', but this file does not exist")


def program(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch, name: str = "kubectl") -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_the_service_that_has_a_node_port_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, f"[ $1 = --context=kind ] && echo '{json.dumps(SERVICES)}'", monkeypatch)

    assert owner_of_node_port(30080, ["--context=kind"]) == "c/model"
    assert owner_of_node_port(30081, ["--context=kind"]) is None


@pytest.mark.parametrize("script", ["exit 1", "echo no JSON", "echo '{}'", "echo '[]'"])
def test_a_cluster_that_cannot_be_asked_has_no_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    program(tmp_path, script, monkeypatch)

    assert owner_of_node_port(30080) is None


API_SERVICES = {
    "items": [
        {"spec": {"group": group}, "status": {"conditions": [{"type": "Available", "status": status}]}}
        for group, status in (("apps", "True"), ("metrics.k8s.io", "True"), ("custom.metrics.k8s.io", "False"))
    ]
}


def test_api_groups_that_no_available_service_serves_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, f"[ $1 = --context=kind ] && echo '{json.dumps(API_SERVICES)}'", monkeypatch)
    groups = ["metrics.k8s.io", "custom.metrics.k8s.io", "external.metrics.k8s.io"]

    assert find_unserved(groups, ["--context=kind"]) == groups[1:]


@pytest.mark.parametrize("script", ["exit 1", "echo no JSON", "echo '{}'", "echo '[]'", """echo '{"items":[1]}'"""])
def test_a_cluster_that_cannot_be_asked_is_not_said_to_lack_a_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    program(tmp_path, script, monkeypatch)

    assert find_unserved(["metrics.k8s.io"]) == []


def test_nor_has_a_machine_without_kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert owner_of_node_port(30080) is None


@pytest.mark.parametrize(("said", "name"), [("model-1a2b3c4", "model-1a2b3c4"), ("a\\nb", "a"), ("", "")])
def test_the_container_that_publishes_a_port_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, name: str
) -> None:
    program(tmp_path, f"printf '{said}'", monkeypatch, "docker")

    assert container_at(8080) == name


def test_a_label_of_a_container_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "[ $4 = model-1 ] && echo default,app", monkeypatch, "docker")

    assert label_of("model-1", "sealift.dev/api-keys") == "default,app"
    assert label_of("other", "sealift.dev/api-keys") == ""


def test_a_port_on_which_a_program_listens_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert user_of_port("127.0.0.1", port, "", {}) == "another program on this machine"
        assert user_of_port("127.0.0.1", port, "", {"DOCKER_HOST": "ssh://elsewhere"}) is None
        assert user_of_port("127.0.0.1", port, "other", {}) == "the container other"

    assert user_of_port("127.0.0.1", port, "", {}) is None


def test_without_a_docker_that_answers_nobody_can_say_whose_a_port_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "exit 1", monkeypatch, "docker")

    assert container_at(8080) is None
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert user_of_port("127.0.0.1", server.getsockname()[1], None, {}) is None
