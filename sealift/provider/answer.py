"""Errors as gRPC responses: the message alone, without a traceback, and without losing the state."""

from collections.abc import Awaitable
from typing import NoReturn, TypeVar

import grpc
import grpc.aio
from google.protobuf import any_pb2
from pulumi.runtime.proto import provider_pb2, status_pb2

from sealift.provider.errors import PluginError, ResourceInitFailed
from sealift.provider.values import to_struct

T = TypeVar("T")


async def answer(
    context: grpc.aio.ServicerContext, work: Awaitable[T], user_errors: tuple[type[Exception], ...] = ()
) -> T:
    """Returns the result of `work`. A PluginError or one of `user_errors` ends the call with its message alone."""
    shown: tuple[type[Exception], ...] = (PluginError, *user_errors)
    try:
        return await work
    except ResourceInitFailed as error:
        await _fail_with_state(context, error)
    except shown as error:
        await fail(context, str(error))


async def fail(context: grpc.aio.ServicerContext, message: str) -> NoReturn:
    """Ends the call with this message."""
    await context.abort(grpc.StatusCode.UNKNOWN, message)
    raise AssertionError("internal error: abort returned")


async def _fail_with_state(context: grpc.aio.ServicerContext, error: ResourceInitFailed) -> NoReturn:
    """Reports the resource to the engine, which keeps its state so that the next update repairs it."""
    detail = provider_pb2.ErrorResourceInitFailed(
        id=error.resource_id, properties=to_struct(error.state), reasons=error.reasons
    )
    if error.inputs is not None:
        detail.inputs.CopyFrom(to_struct(error.inputs))
    packed = any_pb2.Any()
    packed.Pack(detail)
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=error.message, details=[packed])
    trailing = (("grpc-status-details-bin", status.SerializeToString()),)
    await context.abort(grpc.StatusCode.UNKNOWN, error.message, trailing)
    raise AssertionError("internal error: abort returned")
