"""The stand-in's Container shows differences as the official plugin does, and leaves a state that this one takes on."""

import asyncio
from typing import Any

import pytest

from airgap.plugins.docker import container_form
from airgap.plugins.docker.container import Container
from airgap.plugins.docker.health import go_duration
from sealift.provider import UNKNOWN, CheckRequest, DiffRequest, Properties, Secret, reveal_all

URN = "urn:pulumi:dev::p::docker:index/container:Container::model"
FOUND: dict[str, Any] = {
    "Config": {"Cmd": ["serve"], "Entrypoint": ["python3"], "Hostname": "c0ffee"},
    "HostConfig": {"Runtime": "runc", "IpcMode": "private", "ShmSize": 64 * 2**20, "LogConfig": {"Type": "json-file"}},
    "NetworkSettings": {"Networks": {"bridge": {"IPAddress": "172.17.0.2", "Gateway": "172.17.0.1"}}},
    "State": {"ExitCode": 0},
}
GIVEN: Properties = {
    "image": "localhost:5000/model@sha256:1",
    "command": ["--port", "8080"],
    "memory": 256,
    "memorySwap": 256,
    "ports": [{"internal": 8080, "external": 8080, "ip": "127.0.0.1"}],
    "healthcheck": {"tests": ["CMD", "true"], "startPeriod": "2m0s"},
    "uploads": Secret([{"file": "/key", "content": "hush"}]),
}


def checked(inputs: Properties, old: Properties | None = None) -> Properties:
    request = CheckRequest(URN, old or {}, inputs, b"seed")
    response = asyncio.run(Container().check(request))
    assert response.failures == []
    return response.inputs


def differences(old: Properties, new: Properties, state: Properties | None = None) -> dict[str, tuple[str, bool]]:
    known = reveal_all(container_form.without_notes(old) if state is None else state)
    found = Container().diff(DiffRequest(reveal_all(old), reveal_all(new), "c0ffee", known))
    return {path: (change.kind, change.replaces) for path, change in found.detailed_diff.items()}


def test_check_adds_the_official_plugin_s_defaults_and_notes_them() -> None:
    inputs: Any = checked(GIVEN)

    assert (inputs["networkMode"], inputs["rm"], inputs["mustRun"]) == ("bridge", False, True)
    assert {"name", "networkMode", "rm"} <= set(inputs["__defaults"])
    assert "memory" not in inputs["__defaults"]
    assert inputs["ports"][0]["__defaults"] == ["protocol"]
    assert inputs["uploads"].value[0]["__defaults"] == ["executable"]
    assert "name" not in checked({**GIVEN, "name": "mine"})["__defaults"]  # type: ignore[operator]


def test_an_unknown_part_stays_unknown() -> None:
    assert checked({**GIVEN, "uploads": UNKNOWN})["uploads"] is UNKNOWN


def test_a_second_check_gives_the_same_inputs() -> None:
    first = checked(GIVEN)

    assert checked(GIVEN, first) == first


def test_an_element_is_told_by_its_path_and_notes_are_no_difference() -> None:
    old = checked(GIVEN)
    new = checked({**GIVEN, "command": ["--port", "8081", "--explain"]}, old)

    assert differences(old, new) == {"command[1]": ("update", True), "command[2]": ("add", True)}
    assert differences(container_form.without_notes(old), checked(GIVEN, old)) == {}


def test_memory_is_changed_in_place() -> None:
    old = checked(GIVEN)
    new = checked({**GIVEN, "memory": 300, "memorySwap": 300}, old)

    assert differences(old, new) == {"memory": ("update", False), "memorySwap": ("update", False)}


@pytest.mark.parametrize(("given", "read_back"), [("120s", "2m0s"), ("2m", "2m0s"), ("2m0s", "2m0s")])
def test_a_duration_that_is_read_back_otherwise_is_a_difference_each_time(given: str, read_back: str) -> None:
    inputs = checked({**GIVEN, "healthcheck": {"tests": ["CMD", "true"], "startPeriod": given}})
    state: Any = container_form.state(inputs, FOUND)

    assert state["healthcheck"]["startPeriod"] == read_back
    expected = {} if given == read_back else {"healthcheck.startPeriod": ("update", False)}
    assert differences(inputs, inputs, state) == expected


def test_a_stack_of_an_earlier_release_which_noted_no_defaults_is_not_replaced() -> None:
    earlier = {**GIVEN, "mustRun": True, "name": "model-1a2b3c4"}

    assert differences(earlier, checked(GIVEN, earlier)) == {}


def test_the_state_has_what_the_official_plugin_would_otherwise_replace_it_for() -> None:
    """Lists that Docker fills in and that are absent count as changed there."""
    state = container_form.state(checked(GIVEN), FOUND)

    assert set(container_form.COMPUTED) <= state.keys()
    assert (state["entrypoints"], state["envs"], state["command"]) == (["python3"], [], ["--port", "8080"])
    assert "__defaults" not in str(state)
    assert state["image"] == GIVEN["image"]
    assert isinstance(state["uploads"], Secret)


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("0s", "0s"), ("3s", "3s"), ("60s", "1m0s"), ("90s", "1m30s"), ("1.5s", "1.5s"), ("100ms", "100ms"),
        ("1500ms", "1.5s"), ("1h", "1h0m0s"), ("3601s", "1h0m1s"), ("1m30s", "1m30s"),
    ],
)  # fmt: skip
def test_durations_are_written_as_go_does(given: str, written: str) -> None:
    assert go_duration(given) == written


@pytest.mark.parametrize("given", ["", "3", "s", "3 s", "-3s"])
def test_what_is_no_duration_is_refused(given: str) -> None:
    request = CheckRequest(URN, {}, {**GIVEN, "healthcheck": {"tests": ["CMD", "true"], "interval": given}})

    (failure,) = asyncio.run(Container().check(request)).failures

    assert failure.property == "healthcheck.interval"
