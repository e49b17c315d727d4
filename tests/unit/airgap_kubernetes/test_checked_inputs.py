"""Inputs as they go to the cluster: named, normalized, secret where they were."""

import re
from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2

from airgap.plugins.kubernetes import checkpoint
from airgap.plugins.kubernetes.objects import Object, ObjectKind
from airgap.plugins.kubernetes.quantity import canonical
from airgap.plugins.kubernetes.servicer import automatic_name, check
from sealift.provider import UNKNOWN, PluginError, Properties, Secret, reveal, to_struct
from tests.unit.airgap_kubernetes.recorded import needs_recordings, state

AUTONAMED = {"pulumi.com/autonamed": "true"}
URN = "urn:pulumi:dev::p::kubernetes:core/v1:ConfigMap::settings"


def config_map(**metadata: Any) -> Properties:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": dict(metadata), "data": {"a": "1"}}


def request(given: Properties, **fields: Any) -> provider_pb2.CheckRequest:
    return provider_pb2.CheckRequest(urn=URN, news=to_struct(given), **fields)


def test_a_nameless_resource_is_named_after_its_logical_name() -> None:
    name = automatic_name(request(config_map()))
    checked = check(config_map(), {}, name, "")

    assert re.fullmatch(r"settings-[0-9a-f]{8}", name)
    assert checked["metadata"] == {"name": name, "annotations": AUTONAMED}


def test_a_preview_and_its_update_draw_the_same_name_and_others_another() -> None:
    first, again, other = (automatic_name(request(config_map(), randomSeed=seed)) for seed in (b"1", b"1", b"2"))

    assert first == again != other


def test_an_update_keeps_the_automatic_name() -> None:
    old = {"metadata": {"name": "settings-0badcafe", "annotations": AUTONAMED}}

    assert check(config_map(), old, "settings-1", "")["metadata"] == old["metadata"]


def test_a_replacement_is_checked_without_its_predecessor_and_gets_a_new_name() -> None:
    assert reveal(check(config_map(), {}, "settings-2", "")["metadata"]) == {
        "name": "settings-2",
        "annotations": AUTONAMED,
    }


def test_a_name_that_the_program_gives_stays_and_is_not_marked() -> None:
    assert check(config_map(name="mine"), {}, "settings-1", "")["metadata"] == {"name": "mine"}


def test_a_name_that_is_not_known_yet_is_a_name() -> None:
    assert check(config_map(name=UNKNOWN), {}, "settings-1", "")["metadata"] == {"name": UNKNOWN}


def test_naming_rules_of_the_stack_are_kept() -> None:
    options = provider_pb2.CheckRequest.AutonamingOptions

    proposed = options(proposed_name="team-settings", mode=options.ENFORCE)
    assert automatic_name(request(config_map(), autonaming=proposed)) == "team-settings"
    with pytest.raises(PluginError, match=r"metadata\.name must be set"):
        automatic_name(request(config_map(), autonaming=options(mode=options.DISABLE)))


def test_the_provider_s_namespace_is_for_namespaced_objects_that_say_none() -> None:
    def placed(given: Properties) -> Object:
        metadata: Object = reveal(check(given, {}, "x", "team")["metadata"])  # type: ignore[assignment]
        return metadata

    assert placed(config_map(name="a"))["namespace"] == "team"
    assert placed(config_map(name="a", namespace="own"))["namespace"] == "own"
    assert "namespace" not in placed({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}})


def test_what_a_secret_says_in_plain_text_becomes_its_data_and_stays_secret() -> None:
    given: Properties = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "key"},
        "stringData": {"key.pem": Secret("hush"), "b": "ö"},
        "data": {"c": "Yw==\n"},
    }

    checked = check(given, {}, "", "")

    assert checked["data"] == Secret({"key.pem": "aHVzaA==", "b": "w7Y=", "c": "Yw=="})
    assert "stringData" not in checked


def test_a_secret_with_something_unknown_keeps_its_shape_and_its_secrecy() -> None:
    given: Properties = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "k"}, "stringData": {"a": UNKNOWN}}

    assert check(given, {}, "", "")["stringData"] == Secret({"a": UNKNOWN})


def test_a_secret_value_of_another_kind_stays_secret_in_inputs_and_outputs() -> None:
    given = config_map(name="a") | {"data": {"open": "1", "hidden": Secret("2")}}

    checked = check(given, {}, "", "")
    live = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"open": "1", "hidden": "2"}}
    outputs: Any = checkpoint.outputs(live, live, checked, "v1", "m")

    assert checked["data"] == {"open": "1", "hidden": Secret("2")}
    assert outputs["data"] == outputs["__inputs"]["data"] == {"open": "1", "hidden": Secret("2")}


@needs_recordings
def test_the_state_has_the_recorded_shape() -> None:
    for resource in state().values():
        live = {key: value for key, value in resource["outputs"].items() if not key.startswith("__")}
        ours = checkpoint.outputs(resource["inputs"], live, resource["inputs"], live["apiVersion"], "m")

        assert ours.keys() == resource["outputs"].keys()
        assert reveal(ours["__inputs"]) == resource["outputs"]["__inputs"]
        assert ours["__initialApiVersion"] == resource["outputs"]["__initialApiVersion"]
        if live["kind"] == "Secret":
            assert isinstance(ours["data"], Secret)
            assert isinstance(ours["__inputs"]["data"], Secret)  # type: ignore[index,call-overload]


@pytest.mark.parametrize(
    ("token", "api_version", "name"),
    [
        ("kubernetes:apps/v1:Deployment", "apps/v1", "Deployment"),
        ("kubernetes:core/v1:Secret", "v1", "Secret"),
        ("kubernetes:networking.k8s.io/v1:NetworkPolicy", "networking.k8s.io/v1", "NetworkPolicy"),
    ],
)
def test_a_type_says_api_version_and_kind(token: str, api_version: str, name: str) -> None:
    assert ObjectKind.from_token(token) == ObjectKind(api_version, name)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("1024Mi", "1Gi"),
        ("0.5", "500m"),
        ("1000m", "1"),
        ("2", "2"),
        ("1.5Gi", "1536Mi"),
        ("1e3", "1e3"),
        ("100M", "100M"),
        ("0Mi", "0"),
        ("-1.5", "-1500m"),
        ("1.1Ki", "1126400m"),
        ("9Ei", "9223372036854775807"),
        ("lots", "lots"),
    ],
)
def test_a_quantity_is_compared_as_the_api_server_gives_it_back(written: str, kept: str) -> None:
    assert canonical(written) == kept
