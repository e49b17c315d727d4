"""A line of the log for each request, or for each that was refused: who asked what and how it ended, not what was sent.

Lines are written once in a turn of the event loop, so a request costs no system call. Of each status that says no,
LINES_A_SECOND are written in a second, and how many more there were: strangers who are refused do not fill a disk.
"""

import asyncio
import re
import secrets
import time
from typing import Final

import msgspec

from serving.http.messages import Request, Response
from serving.log import log, stamp, write

LINES_A_SECOND: Final = 20

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

    def answered(self, request: Request, route: str, received: int, response: Response) -> Response:
        """The response, with the request's identifier if the client gave one or the log has it."""
        status = response.status
        given = request.identifier
        if status < 400 and not self.all:
            if given is None or not _IDENTIFIER.fullmatch(given):
                return response
            return _identified(response, given)
        if given is None or not _IDENTIFIER.fullmatch(given):
            self._made += 1
            given = b"%s-%x" % (self._prefix.encode(), self._made)
        if status < 400 or self._may_say(status):
            self._add(
                {
                    "time": stamp(),
                    "level": "info" if status < 400 else "warning" if status < 500 else "error",
                    "event": "answered" if status < 400 else "refused",
                    "id": given.decode("ascii"),
                    "caller": request.caller or None,
                    "method": request.method.decode("ascii"),
                    "route": route,
                    "status": status,
                    "rows": request.rows or None,
                    "seconds": round(time.perf_counter() - request.began, 6),
                    "bytes_in": received,
                    "bytes_out": len(response.body),
                }
            )
        return _identified(response, given)

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
            log("warning", "refusals without a line", count=self._left_out)
        self._written.clear()
        self._left_out = 0

    def _add(self, line: dict[str, object]) -> None:
        if not self._lines:
            asyncio.get_running_loop().call_soon(self._write)
        self._lines.append(_encode({name: value for name, value in line.items() if value is not None}) + b"\n")

    def _write(self) -> None:
        lines, self._lines = self._lines, []
        write(lines)


def _identified(response: Response, identifier: bytes) -> Response:
    return response._replace(fields=b"%sx-request-id: %s\r\n" % (response.fields, identifier))
