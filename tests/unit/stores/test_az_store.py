"""A store on a real Azure Blob Storage server, Azurite: the contract of all stores, and what only blobs can get wrong.

Identities (workload identity, `az login`) are Azure's own library's work: Azurite takes none, so none is tried here.
"""

import base64
import secrets
from contextlib import ExitStack
from typing import Any

import pytest

from sealift.stores import (
    PAYLOADS,
    RECORDS,
    ArtifactDamaged,
    Conflict,
    Store,
    StoreError,
    StoreUnwritable,
    az_bucket,
    object_store,
    open_store,
)
from sealift.stores.object_store import MARKER, PART_BYTES
from sealift.stores.object_url import ObjectUrl
from tests.azurite import CONTAINER, VARIABLES, Azurite
from tests.unit.stores.contract import ID, OTHER, StoreContract, exactly_one_wins

LARGE = bytes(PART_BYTES) + b"end"


@pytest.fixture
def prefix() -> str:
    return secrets.token_hex(8)


@pytest.fixture
def store(azurite: Azurite, prefix: str, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store."""
    azurite.choose(monkeypatch)
    return open_store(f"{azurite.url}/{prefix}")


class TestAzureStore(StoreContract):
    # The library reserves eight bytes for each byte of a range, which it never uses: 64 MiB (its `list` of a generator
    # whose length is that of the content). So this test reads one range at a time.
    large_mib = 192

    @pytest.fixture(autouse=True)
    def one_range(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(object_store, "RANGES_AHEAD", 1)

    @pytest.fixture
    def store(self, store: Store) -> Store:
        return store


@pytest.mark.parametrize("content", [b"payload", LARGE], ids=["one request", "blocks"])
def test_of_many_writers_of_one_name_exactly_one_wins(store: Store, content: bytes) -> None:
    exactly_one_wins(store, content)


@pytest.mark.parametrize("equal", [True, False], ids=["equal", "different"])
def test_two_uploads_of_one_blob_at_once_never_mix_their_blocks(store: Store, equal: bool) -> None:
    """A commit discards the uncommitted blocks of the other upload, whose own commit then finds none."""
    pieces = [bytes([at]) * PART_BYTES for at in range(3)]
    others = pieces if equal else [bytes([100 + at]) * PART_BYTES for at in range(3)]

    with ExitStack() as outer:
        if not equal:
            outer.enter_context(pytest.raises(ArtifactDamaged))
        late = outer.enter_context(store.create(PAYLOADS, ID))
        with store.create(PAYLOADS, ID) as first:
            for piece, other in zip(pieces, others, strict=True):
                late.write(other)
                first.write(piece)

    assert store.get(PAYLOADS, ID) == b"".join(pieces)


def test_an_upload_whose_blocks_were_discarded_is_not_complete_and_says_so(store: Store) -> None:
    with pytest.raises(StoreUnwritable, match="was removed before it was complete"), store.create(PAYLOADS, ID) as late:
        late.write(LARGE * 3)
        store.put(PAYLOADS, ID, LARGE)
        store.delete(PAYLOADS, ID)

    assert store.names(PAYLOADS) == []


def test_a_failed_upload_makes_no_blob(store: Store, azurite: Azurite, prefix: str) -> None:
    with pytest.raises(RuntimeError), store.create(PAYLOADS, ID) as file:
        file.write(LARGE)
        raise RuntimeError

    assert store.names(PAYLOADS) == []
    assert [*azurite.container().list_blob_names(name_starts_with=f"{prefix}/payloads/")] == []


def test_a_payload_replaced_while_it_is_read_is_not_mixed_with_the_new_one(
    store: Store, azurite: Azurite, prefix: str
) -> None:
    store.put(PAYLOADS, ID, LARGE)
    with store.open(PAYLOADS, ID) as stream:
        stream.read(1)
        blob = azurite.container().get_blob_client(f"{prefix}/payloads/{ID}")
        blob.upload_blob(bytes(len(LARGE)) + b"other", overwrite=True)

        with pytest.raises(StoreError, match="was changed by another process"):
            stream.read()


def test_a_deletion_of_one_version_leaves_another_one(store: Store) -> None:
    store.delete(RECORDS, ID, "0x8DEADBEEF")
    version = store.swap(RECORDS, ID, b"first", None)
    store.swap(RECORDS, ID, b"second", version)

    with pytest.raises(Conflict):
        store.delete(RECORDS, ID, version)
    assert store.get(RECORDS, ID) == b"second"


def test_other_blobs_beside_the_store_are_not_its_files(store: Store, azurite: Azurite, prefix: str) -> None:
    store.put(RECORDS, ID, b"record")
    for name in ("records/readme.txt", f"records/{OTHER}/deeper", "else"):
        azurite.container().upload_blob(f"{prefix}/{name}", b"x")

    assert store.names(RECORDS) == [ID]


def test_the_marker_shows_that_conditions_were_checked(store: Store, azurite: Azurite, prefix: str) -> None:
    store.put(PAYLOADS, ID, b"payload")

    assert azurite.container().get_blob_client(f"{prefix}/{MARKER}").get_blob_properties().size > 0


@pytest.mark.parametrize("operation", ["reach", "put", "large", "get", "names", "delete"])
def test_a_container_that_does_not_exist_is_said(store: Store, operation: str) -> None:
    nowhere = open_store("az://no-such-container/store")
    operations: dict[str, Any] = {
        "reach": nowhere.reach,
        "put": lambda: nowhere.put(PAYLOADS, ID, b"payload"),
        "large": lambda: nowhere.put(PAYLOADS, ID, LARGE),
        "get": lambda: nowhere.get(PAYLOADS, ID),
        "names": lambda: nowhere.names(PAYLOADS),
        "delete": lambda: nowhere.delete(PAYLOADS, ID),
    }

    with pytest.raises(StoreUnwritable, match=r"there is no container no-such-container|ContainerNotFound") as refused:
        operations[operation]()
    assert refused.value.hint == az_bucket.CONTAINER_MISSING


WRONG_KEY = base64.b64encode(b"wrong" * 12).decode()


@pytest.mark.parametrize(
    ("changed", "message", "hint"),
    [
        ({"AccountKey": WRONG_KEY}, r"the service answered \w+ \(403\)", "check (the key|AZURE_STORAGE_KEY)"),
        ({"AccountKey": "not base64"}, "cannot be used", "check"),
        ({"AccountName": "nobody"}, r"the service answered \w+ \(40[034]\)", "account|key"),
        ({"BlobEndpoint": "http://127.0.0.1:9/nobody"}, "ServiceRequestError", "check the network, and the account"),
    ],
    ids=["wrong key", "damaged key", "missing account", "no answer"],
)
def test_what_keeps_the_store_from_being_used_is_said_without_secrets(
    azurite: Azurite, prefix: str, monkeypatch: pytest.MonkeyPatch, changed: dict[str, str], message: str, hint: str
) -> None:
    azurite.choose(monkeypatch)
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", azurite.connection_string(**changed))
    monkeypatch.setattr(az_bucket, "RETRIES", 0)

    with pytest.raises(StoreUnwritable, match=message) as refused:
        open_store(f"{azurite.url}/{prefix}").put(PAYLOADS, ID, b"payload")
    assert pytest.RaisesExc(StoreUnwritable, match=hint).matches(refused.value)
    assert refused.value.__cause__ is None
    for secret in (azurite.key, changed.get("AccountKey", azurite.key)):
        assert secret not in str(refused.value)


def without_account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_an_account_that_nothing_names_is_asked_for(prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    without_account(monkeypatch)

    with pytest.raises(StoreUnwritable, match="its storage account is not known") as refused:
        open_store(f"az://my-container/{prefix}").reach()
    assert "?account=NAME" in refused.value.hint and "AZURE_STORAGE_ACCOUNT" in refused.value.hint


def test_without_credentials_the_ways_to_give_them_are_said(prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    without_account(monkeypatch)
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")  # asks no metadata server
    monkeypatch.setattr(az_bucket, "RETRIES", 0)

    with pytest.raises(StoreUnwritable, match="there are no credentials") as refused:
        open_store(f"az://my-container/{prefix}?account=nobody").get(PAYLOADS, ID)
    assert "AZURE_STORAGE_KEY" in refused.value.hint and "az login" in refused.value.hint


def test_a_damaged_connection_string_is_not_shown(prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    without_account(monkeypatch)
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", "AccountKey=top-secret")

    with pytest.raises(StoreUnwritable, match="is not a connection string") as refused:
        open_store(f"az://my-container/{prefix}").reach()
    assert "top-secret" not in str(refused.value)


def test_a_connection_string_of_another_account_than_the_url_s_is_refused(
    azurite: Azurite, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    azurite.choose(monkeypatch)

    with pytest.raises(StoreUnwritable, match="its account is ours, but AZURE_STORAGE_CONNECTION_STRING"):
        open_store(f"az://{CONTAINER}/{prefix}?account=ours").reach()


def test_the_account_key_and_a_shared_access_signature_are_credentials(
    azurite: Azurite, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_account(monkeypatch)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT", "mine")
    monkeypatch.setenv("AZURE_STORAGE_SAS_TOKEN", "sv=2024&sig=c2VjcmV0")
    signed = az_bucket.connect(ObjectUrl("az", "my-container", prefix)).client
    monkeypatch.setenv("AZURE_STORAGE_KEY", azurite.key)
    keyed = az_bucket.connect(ObjectUrl("az", "my-container", prefix, (("account", "other"),))).client

    assert signed.url == "https://mine.blob.core.windows.net/my-container?sv=2024&sig=c2VjcmV0"
    assert (keyed.account_name, keyed.credential.account_key) == ("other", azurite.key)
