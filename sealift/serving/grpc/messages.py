"""The messages of the gRPC inference protocol, as protobuf reads and writes them.

The messages are described here and not generated. Generated code runs only with the release of protobuf that it was
made for, or a later one, and generating it needs a compiler that no image has. Field numbers and types are the
protocol's; names of messages are not sent.
https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/open_inference_grpc.proto

RepositoryIndex and ModelStatistics are extensions of Triton, whose clients call them:
https://github.com/triton-inference-server/common/blob/main/protobuf/grpc_service.proto
"""

from collections.abc import Mapping
from typing import Any, Final

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto

PACKAGE: Final = "inference"
SCALARS: Final = set(FieldDescriptorProto.Type.keys())
PARAMETERS: Final = "map InferParameter parameters"

MESSAGES: Final[Mapping[str, Mapping[int, str]]] = {
    "ServerLiveRequest": {},
    "ServerLiveResponse": {1: "bool live"},
    "ServerReadyRequest": {},
    "ServerReadyResponse": {1: "bool ready"},
    "ModelReadyRequest": {1: "string name", 2: "string version"},
    "ModelReadyResponse": {1: "bool ready"},
    "ServerMetadataRequest": {},
    "ServerMetadataResponse": {1: "string name", 2: "string version", 3: "repeated string extensions"},
    "ModelMetadataRequest": {1: "string name", 2: "string version"},
    "TensorMetadata": {1: "string name", 2: "string datatype", 3: "repeated int64 shape"},
    "ModelMetadataResponse": {
        1: "string name",
        2: "repeated string versions",
        3: "string platform",
        4: "repeated TensorMetadata inputs",
        5: "repeated TensorMetadata outputs",
    },
    "InferParameter": {
        1: "oneof bool bool_param",
        2: "oneof int64 int64_param",
        3: "oneof string string_param",
        4: "oneof double double_param",
        5: "oneof uint64 uint64_param",
    },
    "InferTensorContents": {
        1: "repeated bool bool_contents",
        2: "repeated int32 int_contents",
        3: "repeated int64 int64_contents",
        4: "repeated uint32 uint_contents",
        5: "repeated uint64 uint64_contents",
        6: "repeated float fp32_contents",
        7: "repeated double fp64_contents",
        8: "repeated bytes bytes_contents",
    },
    "InferInputTensor": {
        1: "string name",
        2: "string datatype",
        3: "repeated int64 shape",
        4: PARAMETERS,
        5: "InferTensorContents contents",
    },
    "InferRequestedOutputTensor": {1: "string name", 2: PARAMETERS},
    "ModelInferRequest": {
        1: "string model_name",
        2: "string model_version",
        3: "string id",
        4: PARAMETERS,
        5: "repeated InferInputTensor inputs",
        6: "repeated InferRequestedOutputTensor outputs",
        7: "repeated bytes raw_input_contents",
    },
    "InferOutputTensor": {
        1: "string name",
        2: "string datatype",
        3: "repeated int64 shape",
        4: PARAMETERS,
        5: "InferTensorContents contents",
    },
    "ModelInferResponse": {
        1: "string model_name",
        2: "string model_version",
        3: "string id",
        4: PARAMETERS,
        5: "repeated InferOutputTensor outputs",
        6: "repeated bytes raw_output_contents",
    },
    "RepositoryIndexRequest": {1: "string repository_name", 2: "bool ready"},
    "ModelIndex": {1: "string name", 2: "string version", 3: "string state", 4: "string reason"},
    "RepositoryIndexResponse": {1: "repeated ModelIndex models"},
    "ModelStatisticsRequest": {1: "string name", 2: "string version"},
    "StatisticDuration": {1: "uint64 count", 2: "uint64 ns"},
    "InferStatistics": {
        1: "StatisticDuration success",
        2: "StatisticDuration fail",
        3: "StatisticDuration queue",
        4: "StatisticDuration compute_input",
        5: "StatisticDuration compute_infer",
        6: "StatisticDuration compute_output",
        7: "StatisticDuration cache_hit",
    },
    "InferBatchStatistics": {
        1: "uint64 batch_size",
        2: "StatisticDuration compute_input",
        3: "StatisticDuration compute_infer",
        4: "StatisticDuration compute_output",
    },
    "ModelStatistics": {
        1: "string name",
        2: "string version",
        3: "uint64 last_inference",
        4: "uint64 inference_count",
        5: "uint64 execution_count",
        6: "InferStatistics inference_stats",
        7: "repeated InferBatchStatistics batch_stats",
    },
    "ModelStatisticsResponse": {1: "repeated ModelStatistics model_stats"},
}
"""Fields of each message, by field number: an optional label, the type, and the name."""


def _classes() -> dict[str, Any]:
    file = FileDescriptorProto(name="open_inference.proto", package=PACKAGE, syntax="proto3")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, described in fields.items():
            *label, kind, field_name = described.split()
            field = message.field.add(name=field_name, number=number, label=FieldDescriptorProto.LABEL_OPTIONAL)
            if label == ["map"]:
                entry = message.nested_type.add(name="ParametersEntry")
                entry.options.map_entry = True
                _set_type(entry.field.add(name="key", number=1, label=FieldDescriptorProto.LABEL_OPTIONAL), "string")
                _set_type(entry.field.add(name="value", number=2, label=FieldDescriptorProto.LABEL_OPTIONAL), kind)
                kind = f"{name}.ParametersEntry"
            if label in (["repeated"], ["map"]):
                field.label = FieldDescriptorProto.LABEL_REPEATED
            if label == ["oneof"]:
                if not message.oneof_decl:
                    message.oneof_decl.add(name="choice")
                field.oneof_index = 0
            _set_type(field, kind)
    pool = descriptor_pool.DescriptorPool()  # not the default one, where a program may have the generated messages
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}")) for name in MESSAGES}


def _set_type(field: FieldDescriptorProto, kind: str) -> None:
    scalar = f"TYPE_{kind.upper()}"
    if scalar in SCALARS:
        field.type = FieldDescriptorProto.Type.Value(scalar)
    else:
        field.type = FieldDescriptorProto.TYPE_MESSAGE
        field.type_name = f".{PACKAGE}.{kind}"


CLASSES: Final = _classes()
"""Message classes by name."""
