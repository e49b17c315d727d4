"""`sealift:index:SealingKey`: the key pair that artifacts are sealed to, and the store key of their records.

The key pair is made in this process and leaves it only as a secret output, which the engine encrypts with the
stack's secrets provider. Another text in `rotation` asks for a new key pair; the old one is kept, secret, as long as an
artifact may need it (retired_keys.py).
"""

import asyncio
import base64
import secrets
from typing import Final

from components.key_settings import SealingKeyInputs
from components.plugin import checking
from components.plugin.retired_keys import KEY_STORES, first_store, still_needed, stores_of, with_store
from provider import (
    UNKNOWN,
    CheckRequest,
    CheckResponse,
    CreateRequest,
    CreateResponse,
    DeleteRequest,
    DiffRequest,
    DiffResponse,
    Operation,
    PluginError,
    Properties,
    ReadRequest,
    ReadResponse,
    Secret,
    UpdateRequest,
    UpdateResponse,
    changed_inputs,
    detailed,
    has_unknown,
    random_id,
    reveal,
    reveal_all,
)
from sealing import RsaIdentity, SealingError
from settings import read
from stores import StoreError

OUTPUTS: Final = ("publicKey", "privateKey", "keyId", "storeKey", "openingKeys")
ROTATED: Final = ("publicKey", "privateKey", "keyId", "openingKeys")
"""The outputs that a rotation changes: the store key stays, or every run would be another one."""


class SealingKeyResource:
    """A key pair that can be rotated, and a store key that lasts as long as the resource."""

    async def check(self, request: CheckRequest) -> CheckResponse:
        """All at once; unknown inputs are left for the real run."""
        inputs = checking.completed(SealingKeyInputs, request.new_inputs)
        unknown = [name for name, value in inputs.items() if has_unknown(value)]
        problems = read(SealingKeyInputs, reveal_all(inputs), "a sealing key", unknown=unknown)[1]
        return CheckResponse(inputs, checking.failures(problems))

    def diff(self, request: DiffRequest) -> DiffResponse:
        """Another algorithm is another key; all else is updated."""
        return DiffResponse(detailed(changed_inputs(request.old_inputs, request.new_inputs), replaces={"algorithm"}))

    async def create(self, request: CreateRequest) -> CreateResponse:
        """A new key pair and store key; in a preview all outputs are unknown."""
        if request.preview:
            return CreateResponse("", request.inputs | dict.fromkeys(OUTPUTS, UNKNOWN))
        store_key = base64.b64encode(secrets.token_bytes(32)).decode()
        outputs = await _new_pair(request, []) | {"storeKey": Secret(store_key)}
        outputs[KEY_STORES] = first_store(str(outputs["keyId"]), request.inputs.get("storeUrl"))
        return CreateResponse(random_id(request), request.inputs | outputs)

    async def update(self, request: UpdateRequest) -> UpdateResponse:
        """Another `rotation`: a new key pair, and the retired keys that an artifact may still need."""
        inputs = request.new_inputs
        kept: Properties = {name: request.state[name] for name in OUTPUTS if name in request.state}
        kept["openingKeys"] = Secret([*_opening_keys(request.state)])
        stores = stores_of(request.state)
        if inputs["rotation"] == request.old_inputs["rotation"]:
            kept[KEY_STORES] = with_store(stores, str(kept["keyId"]), inputs.get("storeUrl"))
            return UpdateResponse(inputs | kept)
        if request.preview:
            return UpdateResponse(inputs | kept | dict.fromkeys(ROTATED, UNKNOWN))
        last, *retired = _opening_keys(request.state)
        try:
            needed = await asyncio.to_thread(still_needed, retired, last, stores, inputs.get("storeUrl"))
        except (SealingError, StoreError) as error:
            needed = retired
            await request.log.say("warning", f"all retired keys are kept, since the store cannot say more: {error}")
        made = await _new_pair(request, [last, *needed])
        made[KEY_STORES] = stores | first_store(str(made["keyId"]), inputs.get("storeUrl"))
        return UpdateResponse(inputs | kept | made)

    async def read(self, request: ReadRequest) -> ReadResponse | None:
        """The key lives in the stack's state alone, so there is nothing to compare it with, nor to import from.

        Raises PluginError on import.
        """
        if "privateKey" not in request.state:
            raise PluginError(
                f"a SealingKey cannot be imported, so {request.id!r} names none: its keys are kept in the state of "
                "the stack that made them, and nowhere else",
                "move the resource with `pulumi state move`, or let `pulumi up` make a new key",
            )
        return ReadResponse(request.inputs, request.state)

    async def delete(self, request: DeleteRequest) -> None:
        """Forgetting the state is the deletion."""


async def _new_pair(operation: Operation, retired: list[str]) -> Properties:
    await operation.log.status("generating an RSA-4096 key pair")
    key = await asyncio.to_thread(RsaIdentity.generate)
    return {
        "publicKey": key.recipient.pem,
        "privateKey": Secret(key.pem),
        "keyId": key.key_id,
        "openingKeys": Secret([key.pem, *retired]),
    }


def _opening_keys(state: Properties) -> list[str]:
    """The key that the resource has, then those that it had; a state of Sealift 0.1 has the first alone."""
    keys = reveal(state.get("openingKeys"))
    return [str(pem) for pem in keys] if isinstance(keys, list) else [str(reveal(state["privateKey"]))]
