"""`sealift:index:SealingKey`: the key pair that artifacts are sealed to, and the store key of their records.

The key pair is made in this process and leaves it only as a secret output, which the engine encrypts with the
stack's secrets provider. Another text in `rotation` asks for a new key pair; the old one is kept, secret, as long as an
artifact may need it (retired_keys.py).

A resource with another name is another one for the engine: it makes a new key and deletes the old. The engine asks
nothing about a deletion in a preview, so the preview of the new key warns, and the deletion is refused.
"""

import asyncio
import base64
import secrets
from typing import Final

from components.plugin import refused_report, validation
from components.plugin.retired_keys import (
    KEY_STORES,
    count_of_artifacts,
    find_opened_alone,
    first_store,
    still_needed,
    stores_of,
    with_store,
)
from components.settings.sealing_key import SealingKeyInputs
from sealift.provider import (
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
    detail_diff,
    random_id,
    reveal,
)
from sealift.sealing import SealingError, generate_key_pair
from sealift.stores import StoreError

OUTPUTS: Final = ("publicKey", "privateKey", "keyId", "storeKey", "openingKeys")
ROTATED: Final = ("publicKey", "privateKey", "keyId", "openingKeys")
"""The outputs that a rotation changes: the store key stays, or every run would be another one."""


class SealingKeyResource:
    """A key pair that can be rotated, and a store key that lasts as long as the resource."""

    def __init__(self) -> None:
        self._staying: set[str] = set()
        """The ids of the keys that the program has, as far as this process has seen: none when a stack is destroyed."""

    async def check(self, request: CheckRequest) -> CheckResponse:
        """All at once; unknown inputs are left for the real run."""
        return validation.check(SealingKeyInputs, request.new_inputs, "a sealing key")

    def diff(self, request: DiffRequest) -> DiffResponse:
        """Another algorithm is another key; all else is updated."""
        self._staying |= {request.id} - {""}
        return DiffResponse(detail_diff(changed_inputs(request.old_inputs, request.new_inputs), replaces={"algorithm"}))

    async def create(self, request: CreateRequest) -> CreateResponse:
        """A new key pair and store key; in a preview all outputs are unknown."""
        if request.preview:
            await _warn_of_a_second_key(request)
            return CreateResponse("", request.inputs | dict.fromkeys(OUTPUTS, UNKNOWN))
        store_key = base64.b64encode(secrets.token_bytes(32)).decode()
        outputs = await _new_pair(request, request.inputs, []) | {"storeKey": Secret(store_key)}
        outputs[KEY_STORES] = first_store(str(outputs["keyId"]), request.inputs.get("storeUrl"))
        resource_id = random_id(request)
        self._staying.add(resource_id)
        return CreateResponse(resource_id, request.inputs | outputs)

    async def update(self, request: UpdateRequest) -> UpdateResponse:
        """Another `rotation`: a new key pair, and the retired keys that an artifact may still need."""
        inputs = request.new_inputs
        kept: Properties = {name: request.state[name] for name in OUTPUTS if name in request.state}
        kept["openingKeys"] = Secret([*_find_opening_keys(request.state)])
        stores = stores_of(request.state)
        if inputs["rotation"] == request.old_inputs["rotation"]:
            kept[KEY_STORES] = with_store(stores, str(kept["keyId"]), inputs.get("storeUrl"))
            return UpdateResponse(inputs | kept)
        if request.preview:
            return UpdateResponse(inputs | kept | dict.fromkeys(ROTATED, UNKNOWN))
        last, *retired = _find_opening_keys(request.state)
        try:
            needed = await asyncio.to_thread(still_needed, retired, last, stores, inputs.get("storeUrl"))
        except (SealingError, StoreError) as error:
            needed = retired
            await request.log.say("warning", f"all retired keys are kept, since the store cannot say more: {error}")
        made = await _new_pair(request, inputs, [last, *needed])
        made[KEY_STORES] = stores | first_store(str(made["keyId"]), inputs.get("storeUrl"))
        return UpdateResponse(inputs | kept | made)

    async def read(self, request: ReadRequest) -> ReadResponse | None:
        """The key lives in the stack's state alone, so there is nothing to compare it with, nor to import from.

        Raises PluginError on import.
        """
        if "privateKey" not in request.state:
            raise validation.refuse_import("a SealingKey", request.id)
        return ReadResponse(request.inputs, request.state)

    async def delete(self, request: DeleteRequest) -> None:
        """Forgetting the state is the deletion. Raises PluginError where another key takes this one's place, while
        artifacts need this one.
        """
        keys, stores = _find_opening_keys(request.state), stores_of(request.state)
        is_replaced = bool(self._staying - {request.id})
        if not is_replaced:
            await asyncio.to_thread(refused_report.clear_stack, request.urn)
        try:
            alone = await asyncio.to_thread(find_opened_alone, keys, stores, request.state.get("storeUrl"))
        except StoreError as error:
            if is_replaced:
                raise PluginError(
                    f"nobody can say whether artifacts need this key: {error.message}", error.hint
                ) from error
            await request.log.say("warning", f"artifacts that only this key opens may be left: {error}")
            return
        if not alone:
            return
        said = f"only this key opens {_list_artifacts(alone)} in the store"
        if is_replaced:
            raise PluginError(
                f"{said}, and another key takes its place: it is not deleted",
                "if the resource was renamed or moved, give it its old name back, or that name as an alias before the "
                'next one is made: pulumi.ResourceOptions(aliases=[pulumi.Alias(name="OLD-NAME")]). To let the key go, '
                "delete these artifacts first; to keep it elsewhere, save `pulumi stack export --show-secrets`, then "
                f"run `pulumi state delete '{request.urn}'`",
            )
        await request.log.say("warning", f"{said}, and it goes now")


async def _warn_of_a_second_key(request: CreateRequest) -> None:
    count = await asyncio.to_thread(count_of_artifacts, request.inputs.get("storeUrl"))
    if count:
        await request.log.say(
            "warning",
            f"a new key would be made for a store that has {count} artifacts already, and it opens none of them. If "
            "this resource had another name or parent before, stop here: its old key would go. Give it an alias, and "
            'it keeps its key: pulumi.ResourceOptions(aliases=[pulumi.Alias(name="OLD-NAME")])',
        )


def _list_artifacts(artifacts: list[str]) -> str:
    if len(artifacts) == 1:
        return f"artifact {artifacts[0]}"
    return f"{len(artifacts)} artifacts ({', '.join(artifacts[:3])}{', …' if len(artifacts) > 3 else ''})"


async def _new_pair(operation: Operation, inputs: Properties, retired: list[str]) -> Properties:
    algorithm = str(inputs["algorithm"])
    await operation.log.status(f"generating a key pair ({algorithm})")
    pair = await asyncio.to_thread(generate_key_pair, algorithm)
    return {
        "publicKey": pair.recipient,
        "privateKey": Secret(pair.identity),
        "keyId": pair.key_id,
        "openingKeys": Secret([pair.identity, *retired]),
    }


def _find_opening_keys(state: Properties) -> list[str]:
    """The key that the resource has, then those that it had; a state of Sealift 0.1 has the first alone."""
    keys = reveal(state.get("openingKeys"))
    return [str(key) for key in keys] if isinstance(keys, list) else [str(reveal(state["privateKey"]))]
