"""A line of the log for each request, or for each that was refused: who asked what and how it ended, not what was sent.

One for all transports. Lines are written once in a turn of the event loop, so a request costs no system call. Of each
status that says no, LINES_A_SECOND are written in a second, and how many more there were: strangers who are refused do
not fill a disk.
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
"""Where a client says its own identifier of a request, and reads the one that the log has."""

_IDENTIFIER: Final = re.compile(rb"[!-~]{1,128}")
"""Of a request: printable ASCII without spaces. Another is not taken over, and the request gets one of ours."""
_encode: Final = msgspec.json.Encoder().encode


class RequestLog:
    """Of one event loop. `all`: requests that succeed have lines, too."""

    def __init__(self, all: bool = False) -> None:  # noqa: A002 - the option's own word
        self.all = all
        self._prefix = secrets.token_hex(4)
        self._made = 0
        self._lines: list[bytes] = []
        self._written: dict[int, int] = {}
        """Refusals of this second, by status."""
        self._left_out = 0

    def identifier(self, given: bytes | None, status: int) -> bytes | None:
        """By which client and log know a request: the one that the client gave, or one of ours if it has a line."""
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
        """A request that came at `began`, by time.perf_counter, with HTTP's status or the one of the same meaning.
        Without rows, and without a caller, the line says nothing of them, nor of what is None in `more`, which its
        transport adds."""
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
