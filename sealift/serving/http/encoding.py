"""Compressed bodies (Content-Encoding: RFC 9110, 8.4).

The size of a decompressed body is unknown in advance, so decompression stops at the size limit.
"""

import zlib
from collections.abc import Mapping
from typing import Final

from sealift.names import counted
from sealift.serving.errors import InvalidInput
from sealift.serving.http.messages import Response
from sealift.serving.protocol.contract import Body

GZIP: Final = 16 + zlib.MAX_WBITS  # zlib's code for gzip's header and checksum
WINDOWS: Final[Mapping[bytes, int]] = {b"gzip": GZIP, b"x-gzip": GZIP, b"deflate": zlib.MAX_WBITS}
ACCEPTED: Final = b"accept-encoding: gzip, deflate\r\n"
MOST_MEMBERS: Final = 64
"""Limit on the members of a gzip body. Several may follow each other, and each takes time, even if empty."""
QUICK: Final = 1
"""Compression level. Higher ones take several times as long and save a tenth."""


class TooLarge(Exception):
    """The decompressed body exceeds the limit."""


def decompress(body: Body, encoding: bytes, most_bytes: int) -> bytes:
    """Decompresses a body. Raises TooLarge, or InvalidInput if the body is not in that encoding."""
    name = encoding.decode()
    parts: list[bytes] = []
    rest = body
    left = most_bytes
    for _ in range(MOST_MEMBERS):
        unpacking = zlib.decompressobj(WINDOWS[encoding])
        try:
            parts.append(unpacking.decompress(rest, left + 1))
        except zlib.error:
            raise InvalidInput(f"the body is not {name}, although its content-encoding says so") from None
        left -= len(parts[-1])
        if left < 0:
            raise TooLarge
        if not unpacking.eof:
            raise InvalidInput(f"the body's {name} data is incomplete")
        rest = unpacking.unused_data
        if not rest:
            return parts[0] if len(parts) == 1 else b"".join(parts)
        if encoding == b"deflate":
            raise InvalidInput(f"the body has {counted(len(rest), 'byte')} after the end of its deflate data")
    raise InvalidInput(f"the body exceeds the limit of {MOST_MEMBERS} gzip members; send one")


def compress(response: Response) -> Response:
    """Compresses the body of a response with gzip."""
    packing = zlib.compressobj(QUICK, wbits=GZIP)
    body = packing.compress(response.body) + packing.flush()
    return response._replace(body=body, fields=response.fields + b"content-encoding: gzip\r\n")
