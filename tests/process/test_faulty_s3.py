"""An S3 server behind a bad network: each operation has its whole effect once, or ends with one clear error."""

import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import pytest
from botocore.retries.standard import ExponentialBackoff

from sealift.sealing import open_artifact, seal
from sealift.stores import (
    MANIFESTS,
    PAYLOADS,
    RECORDS,
    ArtifactDamaged,
    ArtifactMissing,
    Conflict,
    Store,
    StoreError,
    StoreUnwritable,
    collect,
    get_manifest,
    get_payload,
    hold_lease,
    open_payload,
    open_store,
    put_artifact,
    s3_bucket,
)
from sealift.stores import object_store as objects
from sealift.stores.object_store import MARKER, PART_BYTES, ObjectStore
from sealift.stores.store import LEASES
from tests.faulty_proxy import UNDONE, Fault, FaultyProxy, Plan, always, at_random, nothing
from tests.keys import key_pair
from tests.object_store import ObjectStore as Server

SMALL, LARGE = b"payload", bytes(range(256)) * (PART_BYTES // 256) + b"end"
SHARE: Final = 0.25
"""Share of spoilt requests in random plans."""
COUNTS: Final = 25
BOUND_SECONDS: Final = 60.0
MANY_MOMENTS: Final = 10
"""From so many on, all pairs are tried."""
WORST: Final[list[Fault]] = [Fault.LOSE, Fault.CUT, Fault.SHORTEN]
LARGE_ONES = ("put in parts", "get", "open", "range")
QUICK: Final[list[Fault]] = [fault for fault in Fault if fault is not Fault.LATE]


@dataclass(frozen=True)
class Shop:
    """One store, through the proxy and past it."""

    proxy: FaultyProxy
    url: str
    straight: Store

    @property
    def store(self) -> Store:
        """A store through the proxy that has not checked its service yet."""
        return open_store(f"{self.url}?endpoint={self.proxy.endpoint}")


@pytest.fixture(scope="module")
def proxy(object_store: Server) -> Iterator[FaultyProxy]:
    with FaultyProxy(object_store.endpoint).running() as proxy:
        yield proxy


@pytest.fixture
def shop(object_store: Server, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """An empty store, whose clients do not wait long before they try again."""
    for name, value in object_store.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0.01)
    monkeypatch.setattr(s3_bucket, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(objects, "PAUSES_SECONDS", (0.01,) * 5)
    url = f"{object_store.url}/{secrets.token_hex(8)}"
    proxy.plan = nothing
    proxy.counts.clear()
    shop = Shop(proxy, url, open_store(url))
    shop.straight.put(RECORDS, "0" * 32, b"for the marker")
    yield shop
    proxy.plan = nothing


@dataclass(frozen=True)
class Operation:
    """What is done through the proxy to a file of this name, and the check of its effect and its result."""

    act: Callable[[Store, str], object]
    check: Callable[[Store, str, object], None]
    prepare: Callable[[Store, str], object] = lambda store, name: None


def has(content: bytes) -> Callable[[Store, str, object], None]:
    def check(store: Store, name: str, result: object) -> None:
        assert store.get(PAYLOADS, name) == content

    return check


def swapped(store: Store, name: str, result: object) -> None:
    found = store.read(RECORDS, name)
    assert (found.content, found.version) == (b"second", result)


def gone(store: Store, name: str, result: object) -> None:
    assert name not in store.names(PAYLOADS)
    with pytest.raises(ArtifactMissing):
        store.stat(PAYLOADS, name)


def answers(expected: object) -> Callable[[Store, str, object], None]:
    def check(store: Store, name: str, result: object) -> None:
        assert result == expected

    return check


def put_small(store: Store, name: str) -> None:
    store.put(PAYLOADS, name, SMALL)


def put_large(store: Store, name: str) -> None:
    store.put(PAYLOADS, name, LARGE)


def put_record(store: Store, name: str) -> None:
    store.swap(RECORDS, name, b"first", None)


def swap(store: Store, name: str) -> str:
    return store.swap(RECORDS, name, b"second", store.read(RECORDS, name).version)


def create_record(store: Store, name: str) -> str:
    return store.swap(RECORDS, name, b"second", None)


def delete(store: Store, name: str) -> None:
    store.delete(PAYLOADS, name)


def delete_version(store: Store, name: str) -> None:
    store.delete(PAYLOADS, name, store.stat(PAYLOADS, name).version)


def read_stream(store: Store, name: str) -> bytes:
    with store.open(PAYLOADS, name) as stream:
        return stream.read()


def hold(store: Store, name: str) -> str:
    with hold_lease(store, name) as fence:
        fence.check()
    return "held"


def no_lease(store: Store, name: str, result: object) -> None:
    assert result == "held" and store.names(LEASES) == []


OPERATIONS = {
    "put": Operation(put_small, has(SMALL)),
    "put in parts": Operation(put_large, has(LARGE)),
    "put the same again": Operation(put_small, has(SMALL), put_small),
    "create a record": Operation(create_record, swapped),
    "swap a record": Operation(swap, swapped, put_record),
    "delete": Operation(delete, gone, put_small),
    "delete a version": Operation(delete_version, gone, put_small),
    "purge": Operation(lambda store, name: store.purge(PAYLOADS, name), gone, put_small),
    "get": Operation(lambda store, name: store.get(PAYLOADS, name), answers(LARGE), put_large),
    "open": Operation(read_stream, answers(LARGE), put_large),
    "range": Operation(
        lambda store, name: store.get_range(PAYLOADS, name, 1000, 5000), answers(LARGE[1000:6000]), put_large
    ),
    "names": Operation(lambda store, name: name in store.names(PAYLOADS), answers(True), put_small),
    "lease": Operation(hold, no_lease),
    "collect": Operation(lambda store, name: collect(store, -10).payloads != (), gone, put_small),
}
CHANGES = ["put", "put in parts", "create a record", "swap a record", "delete", "purge", "lease"]


def at(number: int, *faults: Fault) -> Plan:
    """A plan: the request of this number and those after it get these faults."""
    order = iter([*[None] * number, *faults])
    return lambda method, path: next(order, None)


def do(shop: Shop, operation: Operation, plan: Plan) -> None:
    """Does it in a store where no service was checked, and checks it without faults."""
    name = secrets.token_hex(16)
    operation.prepare(shop.straight, name)
    shop.proxy.plan = plan
    result = operation.act(shop.store, name)
    shop.proxy.plan = nothing
    operation.check(shop.straight, name, result)


def count_requests(shop: Shop, operation: Operation) -> int:
    before = shop.proxy.requests
    do(shop, operation, nothing)
    return shop.proxy.requests - before


@pytest.mark.parametrize("what", OPERATIONS)
def test_with_random_faults_at_any_request_an_operation_has_its_whole_effect(
    shop: Shop, what: str, request: pytest.FixtureRequest
) -> None:
    """And with a second one at the next request, after the worst one: a lost answer."""
    operation = OPERATIONS[what]
    rows: list[tuple[Fault, ...]]
    if request.config.getoption("moments") >= MANY_MOMENTS:
        rows = [(fault,) for fault in QUICK] + [(Fault.LOSE, fault) for fault in QUICK]
    else:
        singles: list[Fault] = WORST if what in LARGE_ONES else QUICK
        rows = [*[(fault,) for fault in singles], (Fault.LOSE, Fault.DONE_503)]
    requests = count_requests(shop, operation)
    for number in range(requests):
        for row in rows:
            do(shop, operation, at(number, *row))

    assert shop.proxy.counts.total() >= requests * len(rows)
    print(f"{what}: {requests * len(rows)} cases with {shop.proxy.counts.total()} faults")


def test_the_first_write_into_a_store_is_checked_and_done_whatever_is_lost(shop: Shop) -> None:
    """Its requests are those that show that the service knows conditions."""
    cases = 0
    for number in range(4):
        for fault in QUICK:
            assert isinstance(shop.straight, ObjectStore)
            shop.straight.bucket.delete(MARKER, None)
            do(shop, OPERATIONS["put"], at(number, fault))
            assert shop.straight.bucket.head(MARKER).size_bytes > 0
            cases += 1
    print(f"first write: {cases} cases")


@pytest.mark.parametrize("what", ["put", "create a record", "swap a record", "range"])
def test_an_answer_later_than_the_client_waits_is_as_a_lost_one(
    shop: Shop, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_bucket, "READ_SECONDS", 0.5)
    operation = OPERATIONS[what]
    for number in range(count_requests(shop, operation)):
        do(shop, operation, at(number, Fault.LATE))

    assert shop.proxy.counts[Fault.LATE] >= 1


@pytest.mark.parametrize("fault", [Fault.ERROR_503])
@pytest.mark.parametrize("what", OPERATIONS)
def test_a_service_that_fails_for_good_is_one_clear_error_soon(shop: Shop, what: str, fault: Fault) -> None:
    name = secrets.token_hex(16)
    OPERATIONS[what].prepare(shop.straight, name)
    shop.proxy.plan = always(fault)
    begun = time.monotonic()

    with pytest.raises(StoreUnwritable, match="cannot be used") as refused:
        OPERATIONS[what].act(shop.store, name)

    assert refused.value.hint
    assert shop.proxy.requests and time.monotonic() - begun < BOUND_SECONDS
    shop.proxy.plan = nothing
    if what in CHANGES and fault in UNDONE:
        assert shop.straight.names(LEASES) == []


def test_a_name_that_another_content_has_is_refused_whatever_is_lost(shop: Shop) -> None:
    for fault in QUICK:
        name = secrets.token_hex(16)
        shop.straight.put(PAYLOADS, name, b"another")
        for number in range(3):
            shop.proxy.plan = at(number, fault)
            with pytest.raises(ArtifactDamaged):
                shop.store.put(PAYLOADS, name, SMALL)
            shop.proxy.plan = nothing
            with pytest.raises(Conflict):
                shop.store.swap(PAYLOADS, name, SMALL, None)
        assert shop.straight.get(PAYLOADS, name) == b"another"


@pytest.mark.parametrize("fault", [*QUICK, None], ids=lambda fault: fault.name if fault else "all of them")
def test_a_counter_of_two_writers_loses_and_doubles_nothing(shop: Shop, fault: Fault | None) -> None:
    name = secrets.token_hex(16)
    shop.straight.swap(RECORDS, name, b"0", None)
    everything = at_random(f"counter {fault}", SHARE)
    shop.proxy.plan = everything if fault is None else lambda *request: everything(*request) and fault

    def count(store: Store) -> None:
        for _ in range(COUNTS):
            while True:
                found = store.read(RECORDS, name)
                with suppress(Conflict):
                    store.swap(RECORDS, name, str(int(found.content) + 1).encode(), found.version)
                    break

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(count, shop.store) for _ in range(2)]:
            done.result()

    assert shop.straight.get(RECORDS, name) == str(2 * COUNTS).encode()
    assert shop.proxy.counts.total() > COUNTS / 2


def test_of_two_writers_of_one_name_one_wins_whatever_is_lost(shop: Shop) -> None:
    for number, content in enumerate([SMALL, LARGE] * 3):
        name = secrets.token_hex(16)
        shop.proxy.plan = at_random(f"race {number}", SHARE)

        def write(end: bytes, name: str = name, content: bytes = content) -> bool:
            try:
                shop.store.put(PAYLOADS, name, content + end)
            except ArtifactDamaged:
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            won = [*pool.map(write, (b"0", b"1"))]
        shop.proxy.plan = nothing
        assert sum(won) == 1
        assert shop.straight.get(PAYLOADS, name) == content + str(won.index(True)).encode()


def test_an_artifact_goes_and_comes_under_random_faults(shop: Shop, request: pytest.FixtureRequest) -> None:
    """Each round has its own chance. The artifact is read whole, as a stream and in ranges."""
    key, faults = key_pair(), Counter[str]()
    rounds = 2 * request.config.getoption("moments")
    models = [secrets.token_bytes(3000), secrets.token_bytes(PART_BYTES + 3000)]
    for number in range(rounds):
        model = models[number % len(models)]
        made = seal(model, {"round": number}, [key.recipient])
        pins: dict[str, Any] = {"artifact_id": made.artifact_id, "payload_digest": made.payload_digest}
        shop.proxy.plan = at_random(f"artifact {number}", SHARE)
        store = shop.store
        put_artifact(store, made.artifact_id, made.payload, made.manifest)
        manifest = get_manifest(store, made.artifact_id)
        assert open_artifact(manifest, get_payload(store, made.artifact_id), key, **pins).model == model
        with open_payload(store, made.artifact_id) as payload:
            assert open_artifact(manifest, payload, key, **pins).description == {"round": number}
        assert made.artifact_id in store.names(MANIFESTS)
        shop.proxy.plan = nothing
        assert shop.straight.get(PAYLOADS, made.artifact_id) == bytes(made.payload)
    faults.update({fault.name: count for fault, count in shop.proxy.counts.items()})

    assert len(shop.straight.names(MANIFESTS)) == len(shop.straight.names(PAYLOADS)) == rounds
    assert set(faults) == {fault.name for fault in QUICK}
    collect(shop.straight, -10)
    assert collect(shop.straight, -10).unfinished == 0
    print(f"{rounds} artifacts, {shop.proxy.requests} requests, {faults.total()} faults: {dict(faults)}")


def test_a_lease_is_lost_while_the_service_is_away_for_good_and_only_then(shop: Shop) -> None:
    name = secrets.token_hex(32)
    with hold_lease(shop.store, name, 0.6) as fence:
        shop.proxy.plan = at_random("lease", SHARE)
        for _ in range(10):
            time.sleep(0.1)
            fence.check()
        shop.proxy.plan = always(Fault.ERROR_503)
        with pytest.raises(StoreError):
            fence.check()
        with hold_lease(shop.straight, name, 0.6):
            shop.proxy.plan = nothing
            with pytest.raises(StoreError, match="taken over"):
                fence.check()
    assert shop.straight.names(LEASES) == []
