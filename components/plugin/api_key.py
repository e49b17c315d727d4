"""`sealift:index:ApiKey`: an API key that clients of a served model send.

The key is generated in this process and leaves it only as a secret output, which the engine encrypts with the stack's
secrets provider. After a rotation only the digest of the old key is kept: a server needs no more to accept it.
"""

import secrets
from hashlib import sha256
from typing import Final

from components.plugin import validation
from components.settings.api_key import ApiKeyInputs
from sealift.provider import (
    UNKNOWN,
    CheckRequest,
    CheckResponse,
    CreateRequest,
    CreateResponse,
    DeleteRequest,
    DiffRequest,
    DiffResponse,
    Properties,
    ReadRequest,
    ReadResponse,
    Secret,
    UpdateRequest,
    UpdateResponse,
    changed_inputs,
    detail_diff,
    random_id,
    reveal,
)

PREFIX: Final = "sealift_"
"""Prefix by which secret scanners recognise a key in code and logs."""
RANDOM_BYTES: Final = 32
OUTPUTS: Final = ("key", "digests")
ENDED: Final = "the previous key stops working: requests with it will get status 401"


class ApiKeyResource:
    """An API key that can be rotated."""

    async def check(self, request: CheckRequest) -> CheckResponse:
        """Checks all inputs at once. Unknown inputs are checked by the update."""
        return validation.check(ApiKeyInputs, request.new_inputs, "an API key")

    def diff(self, request: DiffRequest) -> DiffResponse:
        """Compares the inputs. No change replaces the resource."""
        return DiffResponse(detail_diff(changed_inputs(request.old_inputs, request.new_inputs), replaces=set()))

    async def create(self, request: CreateRequest) -> CreateResponse:
        """Generates a key. In a preview it is unknown."""
        if request.preview:
            return CreateResponse("", request.inputs | dict.fromkeys(OUTPUTS, UNKNOWN))
        return CreateResponse(random_id(request), request.inputs | _new_key([]))

    async def update(self, request: UpdateRequest) -> UpdateResponse:
        """Generates a new key if `rotation` changed. The previous key stays valid unless `overlap` is off."""
        inputs, rotates = request.new_inputs, request.new_inputs["rotation"] != request.old_inputs["rotation"]
        digests = _digests(request.state)
        if not inputs["overlap"] and (rotates or len(digests) > 1):
            await request.log.say("warning", ENDED)
        if rotates and request.preview:
            return UpdateResponse(inputs | dict.fromkeys(OUTPUTS, UNKNOWN))
        if rotates:
            return UpdateResponse(inputs | _new_key(digests[:1] if inputs["overlap"] else []))
        good = digests if inputs["overlap"] else digests[:1]
        return UpdateResponse(inputs | {"key": request.state["key"], "digests": [*good]})

    async def read(self, request: ReadRequest) -> ReadResponse | None:
        """Returns the state unchanged: the key exists only there, so a refresh has nothing to compare it with.

        Raises PluginError on import.
        """
        if "key" not in request.state:
            raise validation.refuse_import("an ApiKey", request.id)
        return ReadResponse(request.inputs, request.state)

    async def delete(self, request: DeleteRequest) -> None:
        """Does nothing: the engine forgets the state, and the key's digest leaves the servers with their Secret."""


def _new_key(before: list[str]) -> Properties:
    key = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
    return {"key": Secret(key), "digests": [sha256(key.encode()).hexdigest(), *before]}


def _digests(state: Properties) -> list[str]:
    digests = reveal(state["digests"])
    return [str(digest) for digest in digests] if isinstance(digests, list) else []
