"""Processes that are killed at random moments while they write, rewrap, reseal and collect: nothing is lost."""

import hashlib
import multiprocessing
import os
import random
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import pytest

from components.plugin.resealing import OldArtifact, Resealing
from sealift.own_keys import unwrap_with
from sealift.rewrapping import wrap_for
from sealift.sealing import RsaIdentity, named_payload_digest, open_artifact, seal_into, under_key
from sealift.stores import (
    MANIFESTS,
    PAYLOADS,
    Collected,
    Store,
    artifact_ids,
    collect,
    create_artifact,
    delete_artifact,
    get_manifest,
    get_payload,
    hold_lease,
    open_store,
    remake_artifact,
)
from sealift.stores.store import KEYS, LEASES
from tests.keys import key_pair

SIZE_BYTES: Final = (9 << 20) + 17
"""More than one part of an upload."""
RUN: Final = "ab" * 32
STORE_KEY: Final = b"k" * 32
FIRST: Final = "cd" * 16
WAIT_SECONDS: Final = 50.0
"""Less than a lease's expiry: a dead holder of this machine keeps nobody waiting."""
ACTIONS: Final = ("write", "rewrap", "reseal", "collect")


def content(number: int) -> bytes:
    return hashlib.shake_128(str(number).encode()).digest(1 << 16) * (SIZE_BYTES >> 16)


def do(store: Store, action: str, turn: str, keys: list[RsaIdentity]) -> None:
    """One turn. The same turn can be done again."""
    recipients = [key.recipient for key in keys]
    manifest = get_manifest(store, FIRST)
    if action == "write":
        name = hashlib.sha256(turn.encode()).hexdigest()[:32]
        with hold_lease(store, RUN) as fence:
            remake_artifact(
                fence,
                name,
                lambda write, kek: seal_into(write, content(2), {"number": 2}, under_key(recipients, kek), name),
            )
    elif action == "rewrap":
        wanted = recipients[: 1 + len(turn) % 2]
        wrapped = wrap_for(store, FIRST, manifest, keys, wanted)
        assert wrapped is not None
    elif action == "reseal":
        old = OldArtifact(FIRST, named_payload_digest(manifest), manifest)
        Resealing(store, STORE_KEY, RUN, turn).reseal(old, None, keys, recipients)
    else:
        store.put(PAYLOADS, hashlib.sha256(turn.encode()).hexdigest()[:32], content(3))
        collect(store, -10)


def work(
    urls: list[str], environment: Mapping[str, str], action: str, turn: str, pems: list[str], begun: Connection
) -> None:
    """The process that is killed: it does turns until then."""
    os.environ.update(environment)
    store, keys = open_store(*urls), [RsaIdentity(pem) for pem in pems]
    begun.send("")
    for number in range(1000):
        do(store, action, f"{turn} {'x' * number}", keys)


def check(store: Store, keys: list[RsaIdentity]) -> int:
    """Opens every artifact that has a manifest. Returns their number."""
    found = artifact_ids(store)
    assert FIRST in found
    for name in found:
        manifest = get_manifest(store, name)
        opened = open_artifact(
            manifest, get_payload(store, name), unwrap_with(manifest, keys, store.keys), artifact_id=name,
            payload_digest=named_payload_digest(manifest),
        )  # fmt: skip
        assert opened.model == content(opened.description["number"]), name
    return len(found)


@pytest.mark.parametrize("own_keys", [False, True], ids=["one key", "own keys"])
@pytest.mark.parametrize("action", ACTIONS)
def test_kill_9_at_random_moments_loses_no_artifact_and_leaves_nothing(
    store_url: str, action: str, own_keys: bool, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """After each kill every artifact opens, the same turn succeeds at once, and no remains are left."""
    if store_url.startswith("az:"):
        pytest.skip("Azurite does the same through the code that s3:// shares")
    if own_keys and not store_url.startswith("file:"):
        pytest.skip("the store of keys is used in the same order whatever the store is")
    urls = [store_url, *([f"file://{tmp_path}/own-keys"] if own_keys else [])]
    store, pairs = open_store(*urls), [key_pair(0), key_pair(1)]
    keys = pairs
    create_artifact(
        store,
        FIRST,
        lambda write, kek: seal_into(
            write, content(1), {"number": 1}, under_key([key.recipient for key in pairs], kek), FIRST
        ),
    )
    environment = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([__name__, "boto3"])
    moments, kills, opened = random.Random(action), request.config.getoption("moments") // 2 + 1, 0
    since = time.monotonic()
    do(store, action, f"{action} first", keys)
    lifetime = time.monotonic() - since
    for number in range(kills):
        turn = f"{action} {number}"
        begun, begins = processes.Pipe(duplex=False)
        pems = [key.pem for key in pairs]
        process = processes.Process(target=work, args=(urls, environment, action, turn, pems, begins))
        process.start()
        begins.close()
        begun.recv()
        time.sleep(moments.uniform(0, 2 * lifetime))
        process.kill()
        process.join()
        assert process.exitcode == -9

        opened += check(store, keys)
        since = time.monotonic()
        do(store, action, f"{turn} x", keys)
        assert time.monotonic() - since < WAIT_SECONDS
        check(store, keys)
        collect(store, -10)
        assert {*store.names(PAYLOADS)} == {*store.names(MANIFESTS)}
        assert store.keys is None or store.keys.names(KEYS) == store.names(MANIFESTS)
        assert store.names(LEASES) == []
        assert collect(store, -10) == Collected((), (), 0)
        for name in {*artifact_ids(store)} - {FIRST}:
            delete_artifact(store, name)
    print(f"{store_url.partition(':')[0]} {action}: {number + 1} kills, {opened} artifacts opened")
