"""The paths of the server, their methods and scopes.

    GET, HEAD   fixed responses, and readiness
    POST        operations that run the model, and fixed responses to requests with a body
A slash at the end of a path is ignored.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

import httptools

from sealift.serving import explain as explanation
from sealift.serving import page
from sealift.serving.access import Scope
from sealift.serving.http import openapi
from sealift.serving.model import Model
from sealift.serving.protocol import PROTOCOLS, refusal
from sealift.serving.protocol.contract import Explained, Fixed, Inferred, Operation, Told
from sealift.serving.protocol.open_inference import MODEL_VERSION, unknown

READ: Final = (b"GET", b"HEAD")
POST: Final = (b"POST",)
MODEL: Final = re.compile(rb"/v2/models/([^/]+)(?:/versions/([^/]+))?")


@dataclass(frozen=True)
class Route:
    """One path: its operation, and its protocol's form of errors."""

    path: str
    operation: Operation
    methods: tuple[bytes, ...]
    scope: Scope | None
    """The scope that a client needs. None means open to all."""
    error: Callable[[str], bytes]


def routes(name: str, model: Model, asks_for_key: bool, explain: bool) -> dict[bytes, Route]:
    """Makes all routes of one model, by path."""
    said = [(protocol.operations(name, model), protocol.error) for protocol in PROTOCOLS]
    if explain:
        said.append((explanation.operations(name, model), explanation.error))
    said.append((page.operations(name, model, explain), page.error))
    made = [_route(path, operation, error) for operations, error in said for path, operation in operations.items()]
    document = Fixed(openapi.document(name, made, asks_for_key))
    made.append(_route(openapi.PATH, document, refusal))
    return {route.path.encode(): route for route in made}


def _route(path: str, operation: Operation, error: Callable[[str], bytes]) -> Route:
    match operation:
        case Inferred() | Explained():
            return Route(path, operation, POST, "predict", error)
        case Fixed(submitted=True):
            return Route(path, operation, POST, "metadata", error)
        case Fixed(open=False) | Told():
            return Route(path, operation, READ, "metadata", error)
        case _:
            return Route(path, operation, READ, None, error)


def nowhere(target: bytes, name: str, known: Iterable[bytes]) -> str:
    """The error message for an unknown path."""
    asked = MODEL.match(path_of(target))
    if asked and (asked[1] != name.encode() or asked[2] not in (None, MODEL_VERSION.encode())):
        return unknown(name)
    return f"no such path; available: {', '.join(path.decode() for path in known)}"


def path_of(target: bytes) -> bytes:
    """The decoded path of a target, without query and final slash. Empty if the target has no path."""
    try:
        path = httptools.parse_url(target).path
    except httptools.HttpParserInvalidURLError:
        return b""
    plain = unquote_to_bytes(path or b"")
    return plain.rstrip(b"/") or plain[:1]
