"""Files of a store by signed URLs, for a machine without the store's credentials. No message shows a URL, which is a
secret.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Final, cast

import urllib3

from sealift.sealing.memory import Buffer
from sealift.stores import StoreUnwritable, Versioned

SILENCE_SECONDS: Final = 60.0
RETRIES: Final = urllib3.Retry(
    6,
    redirect=0,
    backoff_factor=0.3,
    backoff_max=30,
    allowed_methods=None,
    status_forcelist=(408, 409, 429, 500, 502, 503, 504),
    raise_on_status=False,
)
POOL: Final = urllib3.PoolManager(retries=RETRIES, timeout=urllib3.Timeout(connect=10, read=SILENCE_SECONDS))
OK, MISSING, PRECONDITION_FAILED = 200, 404, 412
UNREACHABLE_HINT: Final = "check that the cluster's pods reach the store's endpoint, then run `pulumi up` again"


class OtherVersion(Exception):
    """The stored file is not the version that a write replaces."""


def read(url: str, at_most: int) -> Versioned | None:
    """Returns a file and its version, or None if it does not exist. Raises StoreUnwritable, also for more than
    `at_most` bytes.
    """
    with _request("GET", url) as answer:
        if answer.status == MISSING:
            return None
        size = int(_checked(answer).headers["Content-Length"])
        if size > at_most:
            raise StoreUnwritable(f"the file in the store has {size:,} bytes, which exceeds this machine's memory")
        return Versioned(answer.read(), answer.headers["ETag"])


def replace(url: str, content: Buffer, version: str | None) -> str:
    """Replaces `version` of a file, or creates the file (None). Returns the new version. Raises OtherVersion or
    StoreUnwritable.
    """
    condition = {"If-None-Match": "*"} if version is None else {"If-Match": version}
    with _request("PUT", url, body=bytes(content), headers=condition) as answer:
        if answer.status == PRECONDITION_FAILED:
            raise OtherVersion
        return str(_checked(answer).headers["ETag"])


def write(url: str, content: Buffer) -> None:
    """Writes a file, whatever is there. Raises StoreUnwritable."""
    with _request("PUT", url, body=bytes(content)) as answer:
        _checked(answer)


@contextmanager
def open_file(url: str) -> Iterator[tuple[BinaryIO, int]]:
    """Opens a file as a stream of a size in bytes. Raises StoreUnwritable, also while it is read."""
    with _request("GET", url) as answer:
        yield cast("BinaryIO", _checked(answer)), int(answer.headers["Content-Length"])


@contextmanager
def _request(method: str, url: str, **options: Any) -> Iterator[urllib3.BaseHTTPResponse]:
    """Sends a request, again after errors that may pass."""
    try:
        answer = POOL.request(method, url, preload_content=False, **options)
        try:
            yield answer
        finally:
            answer.close()
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise StoreUnwritable(f"the store does not answer: {type(error).__name__}", UNREACHABLE_HINT) from None


def _checked(answer: urllib3.BaseHTTPResponse) -> urllib3.BaseHTTPResponse:
    if answer.status != OK:
        raise StoreUnwritable(
            f"the store refused access to a file of the run: it answered {answer.status} {answer.reason or ''}".strip(),
            "the access may have expired: run `pulumi up` again",
        )
    return answer
