"""Retention of a run's artifacts: which the run lets go of when it is updated or deleted, and which it still keeps."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from functools import partial

from components.plugin.ownership import Owner, Owners
from components.plugin.replaced_artifacts import (
    Notes,
    ReplacedArtifacts,
    Retained,
    RunArtifacts,
    find_run_artifacts,
)
from components.plugin.training_inputs import find_opening_keys, find_recipients, find_store, find_store_key
from sealift.provider import Operation, Properties, Value, reveal
from sealift.rewrapping import wrap_for
from sealift.sealing import SealingError, WrongKey
from sealift.stores import StoreError, get_manifest


async def let_go(operation: Operation, owner: Owner, inputs: Properties, state: Properties) -> None:
    """Lets go of all artifacts of a deleted resource, and deletes them if retention is "delete"."""
    if "artifactId" not in state:
        return
    replaced = find_replaced(owner, inputs)
    if state.get("retention") != "delete":
        with contextlib.suppress(StoreError):
            await asyncio.to_thread(replaced.drop_list)
        return
    try:
        replaced.store.reach()
    except StoreError as error:
        await operation.log.say("warning", f"artifact {reveal(state['artifactId'])} is not deleted: {error}")
        return
    await operation.log.status("deleting the artifact")
    await say(operation, await asyncio.to_thread(replaced.settle, None, find_run_artifacts(state), Retained()))


async def settle(
    operation: Operation,
    owner: Owner,
    inputs: Properties,
    outputs: Mapping[str, Value],
    old: RunArtifacts | None,
    *,
    reseals: bool,
) -> None:
    """Lets go of the `old` artifacts and of earlier ones, unless they stay for a while. `outputs` has the current.

    After a compromise, none of them stays, whatever the retention.
    """
    replaced, current = find_replaced(owner, inputs), find_run_artifacts(outputs)
    if inputs["retention"] == "delete" or reseals:
        retained = Retained() if reseals else _retained(inputs)
        await say(operation, await asyncio.to_thread(replaced.settle, current, old, retained))
    elif old is not None:
        await asyncio.to_thread(replaced.forget, current)


async def wrap_replaced(operation: Operation, owner: Owner, inputs: Properties) -> None:
    """Wraps the keys of replaced artifacts for the new recipients. One that cannot be read stays as it is."""
    for one in await asyncio.to_thread(find_replaced(owner, inputs).find):
        try:
            await asyncio.to_thread(_claim_stored, owner, inputs, [one.artifact_id, *one.reports])
        except (SealingError, StoreError) as error:
            await operation.log.say(
                "warning", f"the replaced artifact {one.artifact_id} keeps its old recipients: {error}"
            )


def _claim_stored(owner: Owner, inputs: Properties, artifact_ids: Sequence[str]) -> None:
    store, keys, recipients = find_store(inputs), find_opening_keys(inputs), find_recipients(inputs)
    for artifact_id in artifact_ids:
        wrap = partial(wrap_for, store, artifact_id, get_manifest(store, artifact_id), keys, recipients)
        if Owners(store, find_store_key(inputs), artifact_id).claim(owner, wrap) is None:
            raise WrongKey(
                f"no key in openingKeys opens artifact {artifact_id}",
                "add to openingKeys a key that it was sealed to",
            )


async def say(operation: Operation, notes: Notes) -> None:
    for severity, text in notes:
        await operation.log.say("warning" if severity == "warning" else "info", text)


def find_replaced(owner: Owner, inputs: Mapping[str, Value]) -> ReplacedArtifacts:
    return ReplacedArtifacts(find_store(inputs), find_store_key(inputs), owner)


def _retained(inputs: Mapping[str, Value]) -> Retained:
    count, days = (float(str(inputs.get(name) or 0)) for name in ("retainCount", "retainDays"))
    return Retained(int(count), days)
