"""/openapi.json, the description of the server's API, made from its routes.

OpenAPI 3.1, https://spec.openapis.org/oas/v3.1.1. Clients need the scope `metadata`, since it describes the model.
"""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import msgspec

from sealift.serving.http.messages import BINARY, JSON, JSON_BYTES_HEADER
from sealift.serving.memory_budget import MAX_BODY_BYTES
from sealift.serving.protocol.contract import Document, Explained, Fixed, Inferred, Readiness, Told
from sealift.serving.protocol.open_inference_answer import encode
from sealift.serving.version import VERSION

if TYPE_CHECKING:
    from sealift.serving.http.routes import Route

PATH: Final = "/openapi.json"

Object = dict[str, Any]

SCHEMES: Final[Object] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key, or a JSON Web Token."},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key."},
}
REFUSED: Final[Object] = {"$ref": "#/components/responses/Refused"}
REFUSED_LATER: Final[Object] = {"$ref": "#/components/responses/Later"}
REFUSED_CALLER: Final[Object] = {"$ref": "#/components/responses/Unauthenticated"}
RETRY_AFTER: Final[Object] = {
    "retry-after": {"schema": {"type": "integer"}, "description": "Seconds to wait before the next request."}
}
CHALLENGE: Final[Object] = {"www-authenticate": {"schema": {"type": "string"}}}
JSON_BYTES: Final = JSON_BYTES_HEADER.decode().title()
ERROR: Final[Object] = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
TYPES: Final[Mapping[type, str]] = {bool: "boolean", str: "string", int: "integer", float: "number", list: "array"}


def document(name: str, routes: "Iterable[Route]", asks_for_key: bool) -> bytes:
    """Makes the document for these routes. `name` is the model's name in the URLs."""
    refusals: Object = {
        "Refused": _refusal("The request is invalid. The error says what was expected."),
        "Later": _refusal("The server is busy, or a rate limit is exceeded. Try again later.", RETRY_AFTER),
        "Unauthenticated": _refusal("The credential is missing, is not valid, or lacks the scope.", CHALLENGE),
    }
    components: Object = {"responses": refusals, "schemas": {"Error": ERROR}}
    if asks_for_key:
        components["securitySchemes"] = SCHEMES
    return encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": f"The model {name}",
                "version": VERSION,
                "description": f"The Open Inference Protocol v2 over one model, {name!r}. Any path can answer 405 with "
                "the allowed methods, and any request can get 408, 431 or 503.",
            },
            "paths": {
                route.path: {
                    method.decode().lower(): _operation(route, method, asks_for_key) for method in route.methods
                }
                for route in routes
            },
            "components": components,
        }
    )


def _operation(route: "Route", method: bytes, asks_for_key: bool) -> Object:
    words = [word for word in route.path.split("/") if word] or ["page"]
    found: Object = {
        "operationId": "_".join([method.decode().lower(), *words]),
        "responses": _responses(route, with_body=method != b"HEAD"),
    }
    if isinstance(route.operation, Inferred | Explained):
        found["parameters"] = [_json_bytes_parameter()]
        found["requestBody"] = _request_body(route.operation)
    elif method == b"POST":
        found["requestBody"] = {"content": {JSON.decode(): {"schema": {}}}}
    if asks_for_key and route.scope is not None:
        # OpenAPI 3.1 allows role names for schemes that define no scopes.
        found["security"] = [{scheme: [route.scope]} for scheme in SCHEMES]
    return found


def _responses(route: "Route", with_body: bool) -> Object:
    found: Object = {"503": REFUSED_LATER, "400": REFUSED, "408": REFUSED, "413": REFUSED, "415": REFUSED}
    if route.scope is not None:
        found |= {"401": REFUSED_CALLER, "403": REFUSED_CALLER, "429": REFUSED_LATER}
    match route.operation:
        case Inferred(answered_as=schema) | Explained(answered_as=schema):
            binary = {"description": "The same JSON, followed by the binary outputs."}
            content: Object = {JSON.decode(): {"schema": schema}, BINARY.decode(): {"schema": binary}}
            headers = {
                JSON_BYTES: {
                    "schema": {"type": "integer"},
                    "description": "Number of bytes of a binary response that are JSON.",
                }
            }
            found |= {"200": {"content": content, "headers": headers}, "422": REFUSED}
        case Document(content_type=kind):
            found["200"] = {"content": {kind.partition(";")[0]: {"schema": {"type": "string"}}}}
        case Readiness(ready=ready, draining=draining):
            found["200"] = _answer(ready)
            found["503"] = {**_answer(draining), "headers": RETRY_AFTER}
        case Fixed(answer=answer):
            found["200"] = _answer(answer)
        case Told(answer=tell):
            found["200"] = _answer(tell())
    described = {}
    for status, response in sorted(found.items()):
        if "$ref" not in response:
            response = {"description": HTTPStatus(int(status)).phrase, **response}
            if not with_body:
                del response["content"]
        described[status] = response
    return described


def _answer(body: bytes) -> Object:
    return {"content": {JSON.decode(): {"schema": _schema_of(msgspec.json.decode(body))}}}


def _schema_of(value: Any) -> Object:
    """Makes the schema of a value with fixed members: names and types without content."""
    if value is None:
        return {}
    if isinstance(value, dict):
        members = {name: _schema_of(member) for name, member in value.items()}
        return {"type": "object", "required": list(members), "properties": members}
    return {"type": TYPES[type(value)]}


def _request_body(operation: Inferred[Any] | Explained) -> Object:
    binary = (
        f"The same JSON, in which inputs have the parameter binary_data_size instead of data, followed by their bytes. "
        f"{JSON_BYTES} gives the number of bytes that are JSON. With 0, the body is one row of a model with one input."
    )
    limit = f"At most {MAX_BODY_BYTES:,} bytes after decompression. Supported encodings: gzip, deflate."
    content = {JSON.decode(): {"schema": operation.asked_as}, BINARY.decode(): {"schema": {"description": binary}}}
    return {"required": True, "description": limit, "content": content}


def _json_bytes_parameter() -> Object:
    schema = {"type": "integer", "minimum": 0}
    said = "Number of bytes of a binary body that are JSON."
    return {"name": JSON_BYTES, "in": "header", "required": False, "description": said, "schema": schema}


def _refusal(description: str, headers: Mapping[str, object] | None = None) -> Object:
    content = {JSON.decode(): {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {"description": description, "content": content, **({"headers": headers} if headers else {})}
