"""Conversion of the engine's values to plain Python and back, including unknowns, secrets and numbers.

Numbers are doubles on the wire. Whole ones become `int` here, and every number is sent as a double. Assets, archives
and resource references are refused, because no resource here uses them yet.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from google.protobuf import struct_pb2
from pulumi.runtime import rpc

SIGNATURE_KEY: Final = rpc._special_sig_key  # noqa: SLF001  the SDK has no public name for it
SECRET_SIGNATURE: Final = rpc._special_secret_sig  # noqa: SLF001  nor for this


class Unknown:
    """A value that a preview cannot know yet."""

    def __repr__(self) -> str:
        return "unknown"


UNKNOWN: Final = Unknown()


@dataclass(frozen=True)
class Secret:
    """A value that the engine encrypts in the state and hides on the terminal."""

    value: "Value"

    def __repr__(self) -> str:
        return "[secret]"


Value: TypeAlias = bool | int | float | str | list["Value"] | dict[str, "Value"] | Secret | Unknown | None
Properties: TypeAlias = dict[str, Value]


def from_struct(struct: struct_pb2.Struct) -> Properties:
    """Returns a message's properties. Raises ValueError if it contains an asset, an archive or a resource reference."""
    return {name: _from_value(value) for name, value in struct.fields.items()}


def to_struct(properties: Mapping[str, Value]) -> struct_pb2.Struct:
    """Returns the message for these properties."""
    return struct_pb2.Struct(fields={name: _to_value(value) for name, value in properties.items()})


def reveal(value: Value) -> Value:
    """Returns the value without secret wrappers, at any depth. Never log the result."""
    if isinstance(value, Secret):
        return reveal(value.value)
    if isinstance(value, list):
        return [reveal(item) for item in value]
    if isinstance(value, dict):
        return {name: reveal(item) for name, item in value.items()}
    return value


def reveal_all(properties: Mapping[str, Value]) -> Properties:
    """Returns a resource's properties without secret wrappers, at any depth. Never log the result."""
    return {name: reveal(value) for name, value in properties.items()}


def has_unknown(value: Value) -> bool:
    """Returns whether the value, or anything in it, is unknown."""
    if isinstance(value, Secret):
        return has_unknown(value.value)
    if isinstance(value, list):
        return any(has_unknown(item) for item in value)
    if isinstance(value, dict):
        return any(has_unknown(item) for item in value.values())
    return value is UNKNOWN


def has_secret(value: Value) -> bool:
    """Returns whether the value, or anything in it, is secret."""
    if isinstance(value, list):
        return any(has_secret(item) for item in value)
    if isinstance(value, dict):
        return any(has_secret(item) for item in value.values())
    return isinstance(value, Secret)


def _from_value(value: struct_pb2.Value) -> Value:
    match value.WhichOneof("kind"):
        case "bool_value":
            return bool(value.bool_value)
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "string_value":
            return UNKNOWN if value.string_value == rpc.UNKNOWN else str(value.string_value)
        case "list_value":
            return [_from_value(item) for item in value.list_value.values]
        case "struct_value":
            return _from_struct_value(value.struct_value)
        case _:
            return None


def _from_struct_value(struct: struct_pb2.Struct) -> Value:
    if SIGNATURE_KEY not in struct.fields:
        return from_struct(struct)
    if struct.fields[SIGNATURE_KEY].string_value == SECRET_SIGNATURE:
        return Secret(_from_value(struct.fields["value"]))
    raise ValueError("this plugin does not support assets, archives and resource references")


def _to_value(value: Value) -> struct_pb2.Value:
    if value is None:
        return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
    if isinstance(value, bool):
        return struct_pb2.Value(bool_value=value)
    if isinstance(value, int | float):
        return struct_pb2.Value(number_value=float(value))
    if isinstance(value, str):
        return struct_pb2.Value(string_value=value)
    if isinstance(value, Unknown):
        return struct_pb2.Value(string_value=rpc.UNKNOWN)
    if isinstance(value, Secret):
        fields = {SIGNATURE_KEY: struct_pb2.Value(string_value=SECRET_SIGNATURE), "value": _to_value(value.value)}
        return struct_pb2.Value(struct_value=struct_pb2.Struct(fields=fields))
    if isinstance(value, list):
        return struct_pb2.Value(list_value=struct_pb2.ListValue(values=[_to_value(item) for item in value]))
    return struct_pb2.Value(struct_value=to_struct(value))
