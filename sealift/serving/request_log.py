"""A log line for each request, or only for each refused one: caller, route and status, never the content.

All transports share it. Lines are written once per turn of the event loop, so a request needs no system call. For each
error status, at most LINES_A_SECOND are written per second, and the others are counted, so that refused requests cannot
fill a disk.
"""

import asyncio
import re
import secrets
import time
from typing import Final

import msgspec

from sealift.serving.log import log, stamp, write

LINES_A_SECOND: Final = 20
HEADER: Final = "x-request-id"
"""Header with the request's identifier: the client's own in a request, the one in the log in a response."""

_IDENTIFIER: Final = re.compile(rb"[!-~]{1,128}")
"""Valid identifiers: printable ASCII without spaces. An invalid one is replaced by a generated one."""
_encode: Final = msgspec.json.Encoder().encode


class RequestLog:
    """The request log of one event loop. `all`: successful requests are logged, too."""

    def __init__(self, all: bool = False) -> None:  # noqa: A002 - the option's own word
        self.all = all
        self._prefix = secrets.token_hex(4)
        self._made = 0
        self._lines: list[bytes] = []
        self._written: dict[int, int] = {}
        """Refusals in the current second, by status."""
        self._left_out = 0

    def identifier(self, given: bytes | None, status: int) -> bytes | None:
        """Identifier of a request for client and log: the client's, or a generated one if the request is logged."""
        if given is not None and _IDENTIFIER.fullmatch(given):
            return given
        if status < 400 and not self.all:
            return None
        self._made += 1
        return b"%s-%x" % (self._prefix.encode(), self._made)

    def write_answer(
        self,
        identifier: bytes,
        *,
        caller: str,
        route: str,
        status: int,
        rows: int,
        began: float,
        bytes_in: int,
        bytes_out: int,
        **more: str | None,
    ) -> None:
        """Logs a request that arrived at `began`, by time.perf_counter, with its HTTP status or the equivalent one.
        `more` has fields of the transport. The line leaves out rows of 0, an empty caller, and None values."""
        if not self.all if status < 400 else not self._may_say(status):
            return
        self._add(
            {
                "time": stamp(),
                "level": "info" if status < 400 else "warning" if status < 500 else "error",
                "event": "answered" if status < 400 else "refused",
                "id": identifier.decode("ascii"),
                "caller": caller or None,
                **more,
                "route": route,
                "status": status,
                "rows": rows or None,
                "seconds": round(time.perf_counter() - began, 6),
                "bytes_in": bytes_in,
                "bytes_out": bytes_out,
            }
        )

    def _may_say(self, status: int) -> bool:
        if not self._written:
            asyncio.get_running_loop().call_later(1, self._begin_second)
        count = self._written.get(status, 0)
        self._written[status] = count + 1
        if count < LINES_A_SECOND:
            return True
        self._left_out += 1
        return False

    def _begin_second(self) -> None:
        if self._left_out:
            log("warning", "refusals not logged", count=self._left_out)
        self._written.clear()
        self._left_out = 0

    def _add(self, line: dict[str, object]) -> None:
        if not self._lines:
            asyncio.get_running_loop().call_soon(self._write)
        self._lines.append(_encode({name: value for name, value in line.items() if value is not None}) + b"\n")

    def _write(self) -> None:
        lines, self._lines = self._lines, []
        write(lines)
