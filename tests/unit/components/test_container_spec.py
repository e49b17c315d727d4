"""What reaches the Docker engine: closed to other machines, no rights, no swap, secrets in files of the server."""

from collections.abc import Mapping
from typing import Any

import pytest

from airgap.plugins.docker.health import go_duration
from components import container_spec
from components.server_files import folders_of
from components.server_version import ServerVersion
from components.settings.container import ContainerSettings
from sealift.serving import __main__ as server
from sealift.settings import read
from tests.certificates import self_signed

IMAGE = "localhost:5000/sealift-model@sha256:" + "a" * 64
SERVED = {"image": IMAGE, "artifactId": "ab" * 16, "payloadDigest": "cd" * 32, "privateKey": "k", "manifest": "m"}
VERSION = ServerVersion("model", SERVED)


def settings(**changed: object) -> ContainerSettings:
    checked, problems = read(ContainerSettings, {"modelName": "diabetes", **changed}, "a container")
    assert problems == []
    return checked


def problems(**changed: object) -> list[str]:
    return [str(one) for one in read(ContainerSettings, {"modelName": "diabetes", **changed}, "a container")[1]]


def container(**changed: object) -> Any:
    return container_spec.container(settings(**changed), VERSION, stack="p/s")


def test_what_it_gives_is_what_the_component_asks_for() -> None:
    assert set(container()) == set(container_spec.PROPERTIES)


def test_only_this_machine_reaches_the_port_unless_an_address_is_given() -> None:
    assert container()["ports"] == [{"internal": 8080, "external": 8080, "ip": "127.0.0.1", "protocol": "tcp"}]
    (port,) = container(address="0.0.0.0", port=80)["ports"]
    assert (port["ip"], port["external"]) == ("0.0.0.0", 80)


def test_grpc_and_metrics_have_ports_where_they_are_asked_for() -> None:
    ports = container(grpc=True, grpcPort=9001, metricsPort=9002)["ports"]

    assert {port["internal"]: port["external"] for port in ports} == {8080: 8080, 8081: 9001, 8082: 9002}
    assert all(port["ip"] == "127.0.0.1" for port in ports)


@pytest.mark.parametrize(
    ("given", "property_"),
    [
        ({"metricsPort": 8080}, "metricsPort"),
        ({"grpc": True, "port": 8081}, "grpcPort"),
        ({"grpc": True, "metricsPort": 8081}, "metricsPort"),
    ],
)
def test_two_things_on_one_port_are_refused(given: Mapping[str, object], property_: str) -> None:
    (said,) = problems(**given)

    assert said.startswith(f"{property_} is 808")
    assert "allowed: a different port" in said


@pytest.mark.parametrize("address", ["localhost", "::1", "1.2.3", "", 8, "127.0.0.1/8"])
def test_an_address_is_one_of_ipv4(address: object) -> None:
    assert problems(address=address)[0].startswith("address is ")


def test_the_server_has_no_rights_and_no_swap() -> None:
    spec = container(memoryLimit="300M", cpuLimit="1500m")

    assert spec["capabilities"] == {"drops": ["ALL"]}
    assert spec["security_opts"] == ["no-new-privileges:true"]
    assert spec["memory"] == spec["memory_swap"] == 287  # 300,000,000 bytes in MiB, rounded up
    assert spec["cpus"] == "1.5"
    assert container()["cpus"] == "1.0"  # the provider reads it back so


def test_files_are_root_s_and_the_server_s_group_reads_them() -> None:
    manifest, key = folders_of(settings(auth="none"))

    assert container_spec.uploads(VERSION, [key, manifest], {}) == [
        {
            "file": "/etc/sealift/key/private.pem",
            "content": "k",
            "permissions": "0440",
            "owner": "0",
            "group": "65532",
        },
        {
            "file": "/etc/sealift/manifest/manifest.json",
            "content": "m",
            "permissions": "0440",
            "owner": "0",
            "group": "65532",
        },
    ]


def test_the_server_takes_its_arguments() -> None:
    options = server._parse(list(map(str, container(accessLog="all", auth="none")["command"])))

    assert (options.name, options.port, options.access_log, options.auth) == ("diabetes", 8080, "all", "none")
    assert str(options.key) == "/etc/sealift/key/private.pem"


def test_its_health_is_asked_for_as_it_speaks() -> None:
    assert container()["healthcheck"]["tests"] == ["CMD", "python3", "-m", "sealift.serving.health"]
    pem = self_signed()
    tls = {"tlsCertificate": pem.certificate, "tlsPrivateKey": pem.key}
    assert container(**tls)["healthcheck"]["tests"][-1] == "--tls"


def test_durations_are_written_as_the_provider_reads_them_back() -> None:
    check = container()["healthcheck"]

    for name in ("interval", "timeout", "start_period"):
        assert check[name] == go_duration(check[name]), name


def test_labels_tell_whose_it_is_and_nobody_changes_them() -> None:
    found = {one["label"]: one["value"] for one in container(labels={"team": "ml"})["labels"]}

    assert found["team"] == "ml"
    assert found["app.kubernetes.io/instance"] == "model"
    assert "is set by the component itself" in problems(labels={"sealift.dev/model": "other"})[0]


def test_the_url_is_one_that_this_machine_reaches() -> None:
    assert container_spec.url(settings()) == "http://127.0.0.1:8080"
    assert container_spec.url(settings(address="0.0.0.0", port=81)) == "http://127.0.0.1:81"
    assert container_spec.url(settings(address="10.0.0.5")) == "http://10.0.0.5:8080"


@pytest.mark.parametrize(
    ("changed", "local"),
    [
        ({"auth": "none"}, True),
        ({"auth": "none", "address": "127.0.0.2"}, True),
        ({"auth": "none", "address": "0.0.0.0"}, False),
        ({}, False),
    ],
)
def test_a_server_for_this_machine_that_asks_for_no_key_answers_to_its_names_alone(
    changed: dict[str, object], local: bool
) -> None:
    assert ("--local" in container(**changed)["command"]) == local


def test_origins_are_handed_on() -> None:
    command = container(corsOrigins=["https://a.example.com", "http://localhost:3000"])["command"]

    assert " ".join(map(str, command)).count("--cors-origin") == 2
    assert command[command.index("--cors-origin") + 1] == "https://a.example.com"
    (problem,) = problems(corsOrigins=["https://a.example.com", "https://a.example.com/page"])
    assert problem.startswith("corsOrigins is [") and "'https://a.example.com/page' is not an origin" in problem
