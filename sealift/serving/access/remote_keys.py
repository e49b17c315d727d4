"""An issuer's keys from its URL: fetched in a thread every few minutes, and sooner for an unknown key id.

The event loop starts a fetch and checks later whether it is done; it never waits. Fetched keys stay in effect while the
issuer does not answer.
"""

import threading
import time
import urllib.request
from collections.abc import Sequence
from http.client import HTTPException, HTTPMessage
from typing import IO, Final

from sealift.serving.access.access_file import Algorithm
from sealift.serving.access.key_set import KEY_SET_BYTES, KeySet, parse_key_set
from sealift.serving.errors import AccessInvalid
from sealift.serving.log import log

EVERY_SECONDS: Final = 300.0
"""Interval of fetches. Issuers publish a new key well before they sign with it."""
SOONEST_SECONDS: Final = 10.0
"""Minimum interval of fetches. Anyone can send an unknown key id and so trigger one."""
TIMEOUT_SECONDS: Final = 5.0
"""Time limit for each part of a response."""
WHOLE_SECONDS: Final = 20.0
"""Time limit for a whole response, so that a slow issuer does not prevent the next fetch."""
MOST_ASIDE: Final = 4
"""Limit on fetches that were given up and have not ended."""


class RemoteKeys:
    """The keys from the last successful fetch; empty before."""

    def __init__(self, url: str, algorithms: Sequence[Algorithm]) -> None:
        self.keys: KeySet = {}
        self._content = b""
        self._url = url
        self._algorithms = algorithms
        self._fetching: _Fetch | None = None
        self._started_at: float | None = None
        self._wanted = True
        self._failure = ""
        self._aside: list[_Fetch] = []

    def want(self) -> None:
        """Requests a fetch, because a token has named an unknown key."""
        self._wanted = True

    def refresh(self, now: float) -> bool:
        """Starts and ends fetches. Returns whether the keys have changed."""
        changed = self._take_over(now)
        if self._fetching is None and self._is_due(now):
            self._started_at, self._wanted = now, False
            self._fetching = _Fetch(self._url, self._algorithms)
            self._fetching.start()
        return changed

    def _is_due(self, now: float) -> bool:
        if self._started_at is None:
            return True
        passed = abs(now - self._started_at)  # also for a clock that was set back
        return passed >= (SOONEST_SECONDS if self._wanted or not self.keys else EVERY_SECONDS)

    def _take_over(self, now: float) -> bool:
        fetch = self._fetching
        if fetch is None:
            return False
        failure = fetch.failure
        if fetch.is_alive():
            if self._started_at is None or abs(now - self._started_at) < WHOLE_SECONDS:
                return False
            self._aside = [one for one in self._aside if one.is_alive()]
            if len(self._aside) >= MOST_ASIDE:
                return False
            self._aside.append(fetch)
            failure = f"{self._url} did not complete its response within {WHOLE_SECONDS:g} seconds"
        self._fetching = None
        if failure and failure != self._failure:  # once, not every few seconds
            log("error", "key set not read, the previous keys stay in effect", reason=failure)
        self._failure = failure
        if failure or not fetch.keys or fetch.content == self._content:
            return False
        self._content, self.keys = fetch.content, fetch.keys
        return True


class _Fetch(threading.Thread):
    def __init__(self, url: str, algorithms: Sequence[Algorithm]) -> None:
        super().__init__(name="key set", daemon=True)  # a server that shuts down does not wait for an issuer
        self.content = b""
        self.keys: KeySet = {}
        self.failure = ""
        self._url = url
        self._algorithms = algorithms

    def run(self) -> None:
        try:
            self.content = _read(self._url)
            self.keys = parse_key_set(self.content, self._algorithms, self._url)
        except (OSError, HTTPException, AccessInvalid) as error:  # an OSError also if the host name is not found
            self.failure = str(error) if isinstance(error, AccessInvalid) else f"{self._url} does not answer: {error}"
        except Exception as error:  # noqa: BLE001 - whatever a library raises at an odd response, the keys stay
            self.failure = f"{self._url} sent a response that cannot be read ({type(error).__name__})"


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Refuses redirects, which may lead elsewhere or to a URL without TLS. The configuration must name the final
    URL."""

    def redirect_request(
        self, _request: urllib.request.Request, _file: IO[bytes], code: int, _text: str, _head: HTTPMessage, url: str
    ) -> None:
        raise AccessInvalid(f"the key set's URL redirects ({code}) to {url}", "use that URL if it is the right one")


def _read(url: str) -> bytes:
    opener = urllib.request.build_opener(_NoRedirects)
    end = time.monotonic() + WHOLE_SECONDS
    content = b""
    with opener.open(url, timeout=TIMEOUT_SECONDS) as response:
        while len(content) <= KEY_SET_BYTES and (part := response.read1(KEY_SET_BYTES + 1)):
            content += part
            if time.monotonic() > end:
                raise AccessInvalid(f"{url} did not complete its response within {WHOLE_SECONDS:g} seconds")
    if len(content) > KEY_SET_BYTES:
        raise AccessInvalid(f"{url} exceeds the limit of {KEY_SET_BYTES} bytes for a key set")
    return content
