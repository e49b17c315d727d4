"""A store on fake-gcs-server 1.52.3, an emulator of Google Cloud Storage: the contract of all stores.

Tried against the emulator, with Google's library. It is right about `ifGenerationMatch` of small uploads (0 and a
generation, one winner in 40 races of 8 writers each) and about ranges and missing objects. It ignores
`ifGenerationMatch` of resumable uploads, deletions, reads and metadata, takes any credentials, and answers no 401 or
403. So tests of large create-only uploads and of conditional deletions cannot pass here: they are marked so, and fail
once the emulator is mended. Four of the five tests of leases (test_lease.py) passed here, and the one that needs a
conditional deletion did not, so they do not run here. A server of this file gives those answers as Google documents
them, which shows what the store makes of them. It does not show that Google gives them.
"""

import http.server
import json
import secrets
import threading
from collections.abc import Iterator

import pytest
from google.cloud.storage.retry import DEFAULT_RETRY

from sealift.stores import (
    PAYLOADS,
    RECORDS,
    Conflict,
    Store,
    StoreError,
    StoreUnwritable,
    gs_bucket,
    open_store,
)
from sealift.stores.bucket import ABSENT, ConditionFailed
from sealift.stores.object_services import connect
from sealift.stores.object_store import PART_BYTES
from sealift.stores.object_url import parse_object_url
from tests.fake_gcs import BUCKET, fake_gcs
from tests.unit.stores.contract import ID, StoreContract, exactly_one_wins

__all__ = ["fake_gcs"]

LARGE = bytes(PART_BYTES) + b"end"
CONDITION_IGNORED = pytest.mark.xfail(strict=True, reason="the emulator ignores ifGenerationMatch of this request")


@pytest.fixture
def prefix() -> str:
    return secrets.token_hex(8)


@pytest.fixture
def store(fake_gcs: str, prefix: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """An empty store."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", fake_gcs)
    connect.cache_clear()
    yield open_store(f"gs://{BUCKET}/{prefix}")
    connect.cache_clear()


class TestGoogleStore(StoreContract):
    large_mib = 96

    @pytest.fixture
    def store(self, store: Store) -> Store:
        return store

    @CONDITION_IGNORED
    def test_what_has_changed_since_it_was_read_is_not_deleted(self, store: Store) -> None:
        super().test_what_has_changed_since_it_was_read_is_not_deleted(store)


@pytest.mark.parametrize("content", [b"payload", pytest.param(LARGE, marks=CONDITION_IGNORED)], ids=["small", "large"])
def test_of_many_writers_of_one_name_exactly_one_wins(store: Store, content: bytes) -> None:
    exactly_one_wins(store, content)


@pytest.mark.parametrize("size", [PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES])
def test_a_large_object_is_there_whole(store: Store, size: int) -> None:
    content = secrets.token_bytes(size)
    store.put(PAYLOADS, ID, content)

    assert store.get(PAYLOADS, ID) == content
    assert store.get_range(PAYLOADS, ID, size - 2, 10) == content[-2:]


def test_a_failed_upload_makes_no_object_even_if_it_is_never_ended(store: Store) -> None:
    bucket = connect(parse_object_url(f"gs://{BUCKET}/alone"))
    upload = bucket.begin("payloads/x", "mark")
    upload.put_part(1, LARGE)
    del upload  # as a writer does that is killed before it can abort

    with pytest.raises(RuntimeError), store.create(PAYLOADS, ID) as file:
        file.write(LARGE)
        raise RuntimeError
    assert store.names(PAYLOADS) == [] and [*bucket.entries("payloads/")] == []


def test_a_payload_replaced_while_it_is_read_is_not_mixed_with_the_new_one(store: Store) -> None:
    store.put(PAYLOADS, ID, LARGE)
    with store.open(PAYLOADS, ID) as stream:
        stream.read(1)
        store.delete(PAYLOADS, ID)
        store.put(PAYLOADS, ID, bytes(len(LARGE)) + b"other")

        with pytest.raises(StoreError, match="was changed by another process"):
            stream.read()


def test_a_bucket_that_does_not_exist_is_said(store: Store) -> None:
    nowhere = open_store("gs://no-such-bucket/store")

    for use in (nowhere.reach, lambda: nowhere.put(PAYLOADS, ID, b"x"), lambda: nowhere.names(PAYLOADS)):
        with pytest.raises(StoreUnwritable, match="there is no bucket no-such-bucket") as refused:
            use()
        assert refused.value.hint == gs_bucket.BUCKET_MISSING


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers as Google documents them: the status of a test for all requests but the begin of an upload."""

    status = 412

    def do_POST(self) -> None:
        begins = "uploadType=resumable" in self.path and self.status == 412
        self._answer(200 if begins else self.status)

    def do_GET(self) -> None:
        self._answer(200 if self.status == 412 else self.status)

    def do_PUT(self) -> None:
        self._answer(self.status)

    def do_DELETE(self) -> None:
        self._answer(self.status)

    def log_message(self, *said: object) -> None: ...

    def _answer(self, status: int) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        thing = {"name": "x", "size": "1", "generation": "7", "metadata": {}}
        body = json.dumps(thing if status == 200 else {"error": {"code": status, "message": "no"}}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/json")
        self.send_header(
            "Location", f"http://127.0.0.1:{self.connection.getsockname()[1]}/upload/one?upload_id=top-secret"
        )
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Answers]]:
    handler = type("Chosen", (Answers,), {})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server.server_address[1]}")
        monkeypatch.setattr(gs_bucket, "RETRY", DEFAULT_RETRY.with_timeout(0.1))
        connect.cache_clear()
        yield handler
        server.shutdown()
        thread.join()
    connect.cache_clear()


def test_a_large_upload_or_deletion_whose_condition_fails_is_refused(answers: type[Answers]) -> None:
    bucket = connect(parse_object_url("gs://my-bucket/x"))
    upload = bucket.begin("payloads/x", "mark")

    with pytest.raises(ConditionFailed):
        upload.put_part(1, bytes(PART_BYTES))
    with pytest.raises(ConditionFailed):
        bucket.put("payloads/x", b"x", ABSENT, "mark")
    with pytest.raises(Conflict):
        open_store("gs://my-bucket/x").delete(RECORDS, ID, "5")
    upload.abort()


@pytest.mark.parametrize("content", [b"x", LARGE], ids=["small", "large"])
@pytest.mark.parametrize(
    ("status", "message", "hint"),
    [
        (401, "there are no credentials", "gcloud auth application-default login"),  # those for an emulator are none
        (403, "the service answered 403", "roles/storage.objectUser"),
        (503, "the service answered 503", "once the service answers"),
    ],
)
def test_an_answer_that_keeps_the_store_from_being_used_is_said(
    answers: type[Answers], status: int, message: str, hint: str, content: bytes
) -> None:
    answers.status = status

    with pytest.raises(StoreUnwritable, match=message) as refused:
        open_store("gs://my-bucket/x").put(PAYLOADS, ID, content)
    assert hint in refused.value.hint
    assert refused.value.__cause__ is None and "top-secret" not in str(refused.value)


def test_a_service_that_does_not_answer_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    monkeypatch.setattr(gs_bucket, "RETRY", DEFAULT_RETRY.with_timeout(0.1))
    connect.cache_clear()

    with pytest.raises(StoreUnwritable, match="ConnectionError") as refused:
        open_store("gs://my-bucket/unreachable").reach()
    assert "check the network" in refused.value.hint


def test_without_credentials_the_ways_to_give_them_are_said(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    for name in ("STORAGE_EMULATOR_HOST", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    connect.cache_clear()

    with pytest.raises(StoreUnwritable, match="there are no credentials") as refused:
        open_store("gs://my-bucket/nobody").get(PAYLOADS, ID)
    assert "gcloud auth application-default login" in refused.value.hint
