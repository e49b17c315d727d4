"""Unknowns, secrets and numbers survive the way to the engine and back."""

import pytest
from google.protobuf import struct_pb2
from pulumi.runtime import rpc

from sealift.provider import UNKNOWN, Properties, Secret, from_struct, has_unknown, reveal_all, to_struct


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"text": "a", "flag": True, "nothing": None, "whole": 3, "part": 0.5},
        {"list": [1, "a", [True]], "map": {"inner": {"deep": 1}}},
        {"key": Secret("hush"), "metrics": Secret({"mse": 0.5})},
        {"later": UNKNOWN, "list": [UNKNOWN], "secret": Secret(UNKNOWN)},
    ],
)
def test_properties_come_back_as_they_went(properties: Properties) -> None:
    assert from_struct(to_struct(properties)) == properties


def test_whole_numbers_arrive_as_int_and_leave_as_double() -> None:
    struct = to_struct({"epochs": 100})

    assert struct.fields["epochs"].number_value == 100.0
    assert isinstance(from_struct(struct)["epochs"], int)


def test_the_engine_s_unknown_sentinel_is_unknown() -> None:
    struct = struct_pb2.Struct(fields={"later": struct_pb2.Value(string_value=rpc.UNKNOWN)})

    assert from_struct(struct)["later"] is UNKNOWN


def test_an_unknown_is_found_however_deep() -> None:
    assert has_unknown({"a": [Secret({"b": UNKNOWN})]})
    assert not has_unknown({"a": [Secret({"b": 1})]})


def test_reveal_takes_off_every_secret() -> None:
    assert reveal_all({"a": Secret([Secret("x")])}) == {"a": ["x"]}


def test_a_secret_hides_in_repr() -> None:
    assert "hush" not in repr({"key": Secret("hush")})


def test_assets_are_refused() -> None:
    signature = struct_pb2.Value(string_value=rpc._special_asset_sig)
    asset = struct_pb2.Struct(fields={rpc._special_sig_key: signature})

    with pytest.raises(ValueError, match="assets"):
        from_struct(struct_pb2.Struct(fields={"a": struct_pb2.Value(struct_value=asset)}))
