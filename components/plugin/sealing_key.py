"""`sealift:index:SealingKey`: the key pair that artifacts are sealed to, and the store key of their records.

The key pair is generated in this process and leaves it only as a secret output, which the engine encrypts with the
stack's secrets provider. With `key`, the private key is in a key management service (KMS): the outputs are its public
key and its address, and the state holds no private key. A changed `rotation` makes a new key pair, or asks the KMS for
its newest version. The old key is kept as a secret as long as an artifact may need it (retired_keys.py).

For the engine, a renamed resource is a new one: it creates a new key and deletes the old one. The engine does not
preview deletions, so the preview of the new key warns, and the deletion is refused.
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
from sealift.names import counted
from sealift.provider import (
    UNKNOWN,
    CheckFailure,
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
from sealift.sealing import SealingError, find_key_pair, generate_key_pair, is_in_kms
from sealift.stores import StoreError

OUTPUTS: Final = ("publicKey", "privateKey", "keyId", "storeKey", "openingKeys")
ROTATED: Final = ("publicKey", "privateKey", "keyId", "openingKeys")
"""Outputs that a rotation changes. The store key stays, because every run's identity depends on it."""


class SealingKeyResource:
    """A key pair that can be rotated, and a store key that lasts as long as the resource."""

    def __init__(self) -> None:
        self._staying: set[str] = set()
        """Ids of the program's keys that this process has seen. Empty when a stack is destroyed."""

    async def check(self, request: CheckRequest) -> CheckResponse:
        """Checks all inputs at once, and asks the KMS about a changed key. Unknown inputs are checked by the update."""
        checked = validation.check(SealingKeyInputs, request.new_inputs, "a sealing key")
        address = reveal(checked.inputs.get("key"))
        if isinstance(address, str) and not checked.failures and _needs_pair(request.old_inputs, checked.inputs):
            try:
                await asyncio.to_thread(find_key_pair, address)
            except SealingError as error:
                checked.failures.append(CheckFailure("key", f"cannot be used: {error.message}; {error.hint}"))
        return checked

    def diff(self, request: DiffRequest) -> DiffResponse:
        """Compares the inputs. A changed algorithm replaces the resource, other changes update it."""
        self._staying |= {request.id} - {""}
        return DiffResponse(detail_diff(changed_inputs(request.old_inputs, request.new_inputs), replaces={"algorithm"}))

    async def create(self, request: CreateRequest) -> CreateResponse:
        """Generates a key pair and a store key. In a preview all outputs are unknown."""
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
        """Gets a new key pair if `rotation` or `key` changed, and keeps the retired keys that an artifact may need."""
        inputs = request.new_inputs
        kept: Properties = {name: request.state[name] for name in OUTPUTS if name in request.state}
        kept["openingKeys"] = Secret([*_find_opening_keys(request.state)])
        stores = stores_of(request.state)
        if not _needs_pair(request.old_inputs, inputs):
            kept[KEY_STORES] = with_store(stores, str(kept["keyId"]), inputs.get("storeUrl"))
            return UpdateResponse(inputs | kept)
        last, *retired = _find_opening_keys(request.state)
        if request.preview:
            await _warn_of_an_unusable_key(request, last)
            return UpdateResponse(inputs | kept | dict.fromkeys(ROTATED, UNKNOWN))
        try:
            needed = await asyncio.to_thread(still_needed, retired, last, stores, inputs.get("storeUrl"))
        except (SealingError, StoreError) as error:
            needed = retired
            await request.log.say(
                "warning", f"all retired keys are kept, because the store could not be checked: {error}"
            )
        made = await _new_pair(request, inputs, [last, *needed])
        made[KEY_STORES] = stores | first_store(str(made["keyId"]), inputs.get("storeUrl"))
        return UpdateResponse(inputs | kept | made)

    async def read(self, request: ReadRequest) -> ReadResponse | None:
        """Returns the state unchanged: the key exists only there, so a refresh has nothing to compare it with.

        Raises PluginError on import.
        """
        if "privateKey" not in request.state:
            raise validation.refuse_import("a SealingKey", request.id)
        return ReadResponse(request.inputs, request.state)

    async def delete(self, request: DeleteRequest) -> None:
        """Does nothing but warn: the engine forgets the state. Raises PluginError if another key replaces this one
        while artifacts still need this one.
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
                    f"the store could not be checked for artifacts that need this key: {error.message}", error.hint
                ) from error
            await request.log.say("warning", f"artifacts that only this key opens may remain in the store: {error}")
            return
        if not alone:
            return
        said = f"only this key opens {_list_artifacts(alone)} in the store"
        if is_replaced:
            raise PluginError(
                f"{said}, and another key replaces it, so it is not deleted",
                "if the resource was renamed or moved, restore its old name, or set the old name as an alias before "
                'the new key is created: pulumi.ResourceOptions(aliases=[pulumi.Alias(name="OLD-NAME")]). To delete '
                "the key, delete these artifacts first. To keep it elsewhere, save the output of "
                f"`pulumi stack export --show-secrets`, then run `pulumi state delete '{request.urn}'`",
            )
        await request.log.say("warning", f"{said}, and the key is deleted now")


async def _warn_of_a_second_key(request: CreateRequest) -> None:
    count = await asyncio.to_thread(count_of_artifacts, request.inputs.get("storeUrl"))
    if count:
        await request.log.say(
            "warning",
            f"the store has {counted(count, 'artifact')} of other stacks, which this stack's new key cannot open. If "
            "this resource was renamed or moved, they may be its own: stop here, and add an alias to keep the old key: "
            'pulumi.ResourceOptions(aliases=[pulumi.Alias(name="OLD-NAME")])',
        )


async def _warn_of_an_unusable_key(request: UpdateRequest, key: str) -> None:
    """Warns in a preview if the key that opens the artifacts is in a KMS that does not answer or denies it."""
    if not is_in_kms(key):
        return
    try:
        await asyncio.to_thread(find_key_pair, key)
    except SealingError as error:
        await request.log.say(
            "warning",
            f"the update will wrap the artifacts' keys with the current key {key}, which cannot be used now: "
            f"{error.message}; {error.hint}",
        )


def _list_artifacts(artifacts: list[str]) -> str:
    if len(artifacts) == 1:
        return f"artifact {artifacts[0]}"
    return f"{len(artifacts)} artifacts ({', '.join(artifacts[:3])}{', …' if len(artifacts) > 3 else ''})"


def _needs_pair(old_inputs: Properties, inputs: Properties) -> bool:
    return any(reveal(inputs.get(name)) != reveal(old_inputs.get(name)) for name in ("rotation", "key"))


async def _new_pair(operation: Operation, inputs: Properties, retired: list[str]) -> Properties:
    algorithm, address = str(inputs["algorithm"]), reveal(inputs.get("key"))
    if address is None:
        await operation.log.status(f"generating a key pair ({algorithm})")
        pair = await asyncio.to_thread(generate_key_pair, algorithm)
    else:
        await operation.log.status(f"asking for the public key of {address}")
        pair = await asyncio.to_thread(find_key_pair, str(address))
    return {
        "publicKey": pair.recipient,
        "privateKey": Secret(pair.identity),
        "keyId": pair.key_id,
        "openingKeys": Secret([pair.identity, *(key for key in retired if key != pair.identity)]),
    }


def _find_opening_keys(state: Properties) -> list[str]:
    """Returns the current private key, then the retired ones. A state of Sealift 0.1 has only the current one."""
    keys = reveal(state.get("openingKeys"))
    return [str(key) for key in keys] if isinstance(keys, list) else [str(reveal(state["privateKey"]))]
