"""A preview, a refresh and an update without training ask the store the same, however many artifacts it has."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any, Final, cast

import pytest

from components.plugin import retired_keys, training_inputs
from components.plugin.sealing_key import SealingKeyResource
from sealift.provider import DiffRequest, ReadRequest, ResourceLog, UpdateRequest
from sealift.stores import Store, open_store
from tests.unit.components.plugin.test_judged_again import URN, Deployed

MANY: Final = 10_000
KEY_URN: Final = "urn:pulumi:dev::p::sealift:index:SealingKey::key"


class CountingStore:
    """Counts the calls of a real store, and the files that its listings return."""

    def __init__(self, store: Store, counts: Counter[str]) -> None:
        self._store, self._counts = store, counts

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if not callable(found):
            return found

        def call(*given: Any, **named: Any) -> Any:
            self._counts[f"{name} {given[0]}" if given else name] += 1
            result = found(*given, **named)
            if isinstance(result, list):
                self._counts["listed"] += len(result)
            return result

        return call


def fill(store: Store, count: int) -> None:
    """Adds artifacts of other stacks. They are links, because the store waits for the disk at each file."""
    for folder in ("manifests", "payloads"):
        place = Path(store.location) / folder
        one = next(place.iterdir())
        for at in range(len(list(place.iterdir())), count):
            (place / f"{at:032x}").hardlink_to(one)


def count_calls(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> dict[str, Counter[str]]:
    """Returns the calls of each operation of the engine."""
    counts: dict[str, Counter[str]] = {}
    log = cast(ResourceLog, deployed.log)

    def counted(name: str) -> None:
        counts[name] = Counter()
        for module in (training_inputs, retired_keys):
            monkeypatch.setattr(module, "open_store", lambda *urls: CountingStore(open_store(*urls), counts[name]))

    counted("preview of a change that trains")
    deployed.update(preview=True, learningRate=0.5)
    counted("preview of a new report")
    deployed.update(preview=True, modelCard={"contact": "ada@example.org"})
    counted("check and diff")
    checked = deployed.checked()
    assert not deployed.resource.diff(DiffRequest(deployed.inputs, checked)).detailed_diff
    counted("refresh")
    refresh = ReadRequest(
        urn=URN, log=log, cancelled=asyncio.Event(), id=deployed.id, inputs=deployed.inputs, state=deployed.state
    )
    read = asyncio.run(deployed.resource.read(refresh))
    assert read is not None
    counted("update without training")
    deployed.update(timeoutSeconds=600)
    counted("update of the retention")
    deployed.update(retainCount=3)
    counted("update of the key's store")
    key = SealingKeyResource()
    inputs: Any = {"storeUrl": f"file://{deployed.store.location}", "rotation": "1", "algorithm": "x25519"}
    state: Any = inputs | {"privateKey": "-", "openingKeys": ["-"], "publicKey": "-", "keyId": "-", "storeKey": "-"}
    asyncio.run(
        key.update(
            UpdateRequest(
                urn=KEY_URN, log=log, cancelled=asyncio.Event(), preview=False, id="key-1", old_inputs=inputs,
                new_inputs=inputs, state=state,
            )
        )
    )  # fmt: skip
    return counts


def test_ten_thousand_artifacts_ask_no_more_of_the_store_than_ten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed = Deployed(tmp_path, monkeypatch)
    fill(deployed.store, 10)
    few = count_calls(deployed, monkeypatch)
    fill(deployed.store, MANY)

    assert count_calls(deployed, monkeypatch) == few
    assert sum(few["refresh"].values()) > 0
    assert sum(few["preview of a new report"].values()) > 0
