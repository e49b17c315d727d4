"""`sealift:index:ApiKey`: a key that clients of a served model present.

It is made in this process and leaves it only as a secret output, which the engine encrypts with the stack's secrets
provider. Of a key that was rotated only the digest is kept: that is all that a server needs to go on taking it.
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
"""By which those who look for secrets in code and logs know one."""
RANDOM_BYTES: Final = 32
OUTPUTS: Final = ("key", "digests")


class ApiKeyResource:
    """A key that can be rotated."""

    async def check(self, request: CheckRequest) -> CheckResponse:
        """All at once; unknown inputs are left for the real run."""
        return validation.check(ApiKeyInputs, request.new_inputs, "an API key")

    def diff(self, request: DiffRequest) -> DiffResponse:
        """Nothing makes another resource of it."""
        return DiffResponse(detail_diff(changed_inputs(request.old_inputs, request.new_inputs), replaces=set()))

    async def create(self, request: CreateRequest) -> CreateResponse:
        """A new key; in a preview it is unknown."""
        if request.preview:
            return CreateResponse("", request.inputs | dict.fromkeys(OUTPUTS, UNKNOWN))
        return CreateResponse(random_id(request), request.inputs | _new_key([]))

    async def update(self, request: UpdateRequest) -> UpdateResponse:
        """Another `rotation`: a new key, beside which the last one stays good. `overlap` off: the last one alone is."""
        inputs, rotates = request.new_inputs, request.new_inputs["rotation"] != request.old_inputs["rotation"]
        if rotates and request.preview:
            return UpdateResponse(inputs | dict.fromkeys(OUTPUTS, UNKNOWN))
        digests = _digests(request.state)
        if rotates:
            return UpdateResponse(inputs | _new_key(digests[:1] if inputs["overlap"] else []))
        good = digests if inputs["overlap"] else digests[:1]
        return UpdateResponse(inputs | {"key": request.state["key"], "digests": [*good]})

    async def read(self, request: ReadRequest) -> ReadResponse | None:
        """The key lives in the stack's state alone, so there is nothing to compare it with, nor to import from.

        Raises PluginError on import.
        """
        if "key" not in request.state:
            raise validation.refuse_import("an ApiKey", request.id)
        return ReadResponse(request.inputs, request.state)

    async def delete(self, request: DeleteRequest) -> None:
        """Forgetting the state is the deletion: the key's digest leaves the servers with the Secret that has it."""


def _new_key(before: list[str]) -> Properties:
    key = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
    return {"key": Secret(key), "digests": [sha256(key.encode()).hexdigest(), *before]}


def _digests(state: Properties) -> list[str]:
    digests = reveal(state["digests"])
    return [str(digest) for digest in digests] if isinstance(digests, list) else []
