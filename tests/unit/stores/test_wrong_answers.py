"""Services whose answer to a request for a range is not that range: nothing of it is taken for the object's content."""

import base64
import http.server
import threading
from collections.abc import Iterator

import pytest
from google.cloud.storage.retry import DEFAULT_RETRY

from sealift.stores import (
    PAYLOADS,
    RECORDS,
    Store,
    StoreError,
    StoreForbidden,
    StoreFull,
    StoreUnwritable,
    az_bucket,
    gs_bucket,
    open_store,
    s3_bucket,
)
from sealift.stores.bucket import ConditionFailed
from sealift.stores.object_services import connect
from sealift.stores.object_url import parse_object_url
from tests.unit.stores.contract import ID

CONTENT = b"0123456789"
SCHEMES = ("s3", "az", "gs")


class RangeService(http.server.BaseHTTPRequestHandler):
    """Answers each GET with the same bytes and headers."""

    content = CONTENT
    content_range: str | None = "bytes 0-9/10"
    left_out: tuple[str, ...] = ()
    refusal = 500, "InternalError"

    def do_GET(self) -> None:
        self.send_response(206)
        headers = {
            "Content-Range": self.content_range, "Content-Length": str(len(self.content)), "ETag": '"1"',
            "Last-Modified": "Tue, 01 Dec 2026 12:00:00 GMT", "x-goog-generation": "1", "x-ms-blob-type": "BlockBlob",
        }  # fmt: skip
        for name, value in headers.items():
            if value is not None and name not in self.left_out:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.content)

    def do_PUT(self) -> None:
        """Refuses a write, if the service is to do so."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, code = self.refusal
        answer = f"<Error><Code>{code}</Code><Message>No.</Message></Error>".encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(answer)), "x-ms-error-code": code}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    def do_POST(self) -> None:
        self.do_PUT()

    def log_message(self, *said: object) -> None: ...


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[RangeService]]:
    handler = type("Chosen", (RangeService,), {})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        endpoint = f"http://127.0.0.1:{server.server_address[1]}"
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", endpoint)
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "x")
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        key = base64.b64encode(b"k" * 32).decode()
        monkeypatch.setenv(
            "AZURE_STORAGE_CONNECTION_STRING",
            f"DefaultEndpointsProtocol=http;AccountName=a;AccountKey={key};BlobEndpoint={endpoint}/a;",
        )
        monkeypatch.setattr(gs_bucket, "RETRY", DEFAULT_RETRY.with_timeout(0.1))
        monkeypatch.setattr(az_bucket, "RETRIES", 0)
        monkeypatch.setattr(s3_bucket, "FIRST_PAUSE_SECONDS", 0)
        connect.cache_clear()
        yield handler
        server.shutdown()
        thread.join()
    connect.cache_clear()


def store(scheme: str) -> Store:
    return open_store(f"{scheme}://my-bucket/x")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_range_that_was_asked_for_is_taken(service: type[RangeService], scheme: str) -> None:
    assert store(scheme).get(PAYLOADS, ID) == CONTENT
    assert store(scheme).get_range(PAYLOADS, ID, 0, 10) == CONTENT


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    ("content", "content_range"),
    [
        (CONTENT, "bytes 10-19/30"),
        (CONTENT, "bytes 5-14/20"),
        (CONTENT[:5], "bytes 0-4/10"),
        (CONTENT[:5], "bytes 0-9/10"),
        (CONTENT[:5], "bytes 0-4/4"),
        (CONTENT, "bytes 0-9/*"),
        (CONTENT, "bytes 9-0/10"),
        (CONTENT, "bytes -1-8/10"),
        (CONTENT, "items 0-9/10"),
        (CONTENT, "bytes 0-9/" + "9" * 5000),
        (CONTENT, ""),
        (CONTENT, "10"),
        (CONTENT, None),
        (CONTENT * 10, "bytes 0-99/100"),
        (CONTENT * 10, "bytes 0-9/10"),
    ],
)
def test_another_range_is_refused(
    service: type[RangeService], scheme: str, content: bytes, content_range: str | None
) -> None:
    service.content, service.content_range = content, content_range

    with pytest.raises(StoreUnwritable, match=f"the store {scheme}://my-bucket/x cannot be used: ") as refused:
        store(scheme).get_range(PAYLOADS, ID, 0, 10)
    assert refused.value.hint


@pytest.mark.parametrize(
    ("scheme", "refusal", "kind"),
    [
        ("s3", (403, "AccessDenied"), StoreForbidden),
        ("s3", (403, "InvalidAccessKeyId"), StoreUnwritable),
        ("s3", (403, "QuotaExceeded"), StoreFull),
        ("s3", (507, "XMinioStorageFull"), StoreFull),
        ("az", (403, "AuthorizationPermissionMismatch"), StoreForbidden),
        ("az", (403, "AuthenticationFailed"), StoreUnwritable),
        ("gs", (403, ""), StoreForbidden),
        ("gs", (401, ""), StoreUnwritable),
    ],
)
def test_a_refused_write_says_whether_permission_or_space_is_missing(
    service: type[RangeService], scheme: str, refusal: tuple[int, str], kind: type[StoreUnwritable]
) -> None:
    service.refusal = refusal

    with pytest.raises(StoreUnwritable) as refused:
        store(scheme).swap(RECORDS, ID, b"record", None)
    assert type(refused.value) is kind


@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_object_longer_than_one_answer_is_not_taken_for_whole(service: type[RangeService], scheme: str) -> None:
    service.content_range = "bytes 0-9/1000"

    with pytest.raises(StoreError):
        store(scheme).get(PAYLOADS, ID)


@pytest.mark.parametrize(
    ("scheme", "left_out"),
    [(scheme, "Content-Range") for scheme in SCHEMES] + [("s3", "ETag"), ("az", "ETag"), ("gs", "x-goog-generation")],
)
def test_an_answer_without_what_it_must_have_is_refused(
    service: type[RangeService], scheme: str, left_out: str
) -> None:
    service.left_out = (left_out,)

    with pytest.raises(StoreUnwritable, match="cannot be used: "):
        store(scheme).get(PAYLOADS, ID)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_another_version_than_the_one_that_was_asked_for_is_refused(service: type[RangeService], scheme: str) -> None:
    bucket = connect(parse_object_url(f"{scheme}://my-bucket/x"))
    version = bucket.read("key", 0, 10)[1].version

    assert bucket.read("key", 0, 10, version)[0] == CONTENT
    with pytest.raises(ConditionFailed):
        bucket.read("key", 0, 10, "2" if scheme == "gs" else '"2"')
