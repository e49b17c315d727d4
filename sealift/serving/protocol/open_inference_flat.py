"""A fast path for the most frequent request, one input with a flat array of numbers: one decoding, half the time.

All other requests, and invalid ones, go to the general reader, which describes the problem.
"""

from collections.abc import Sequence
from typing import Any, Final, Self

import msgspec

from sealift.serving.protocol.contract import Body
from sealift.serving.protocol.input_reader import InputReader
from sealift.serving.protocol.json_numbers import NUMBERS, PIECE_BYTES
from sealift.serving.protocol.open_inference_messages import NOTHING, FlatRequest
from sealift.serving.tensor import Array

PAUSE: Final = 64
"""Requests that skip the fast path after one that did not fit, because a client's requests are mostly alike."""


class FlatReader:
    """Reads requests for one input. Any thread may call it."""

    def __init__(self, reader: InputReader) -> None:
        self._reader = reader
        generic: Any = FlatRequest
        self._decode = msgspec.json.Decoder(generic[NUMBERS[reader.tensor.datatype]]).decode
        self._pause = 0

    @classmethod
    def of(cls, readers: Sequence[InputReader]) -> Self | None:
        """Makes a reader, or None for a model that the fast path does not support."""
        # The decoder cannot detect numbers above UINT64.
        if len(readers) != 1 or readers[0].tensor.datatype in ("BYTES", "UINT64"):
            return None
        return cls(readers[0])

    def read(self, body: Body) -> tuple[FlatRequest[Any], dict[str, Array]] | None:
        """Reads the request and its input. None if the fast path does not fit. Raises InvalidInput."""
        if self._pause or len(body) > PIECE_BYTES:
            self._pause = max(self._pause - 1, 0)
            return None
        try:
            request: FlatRequest[Any] = self._decode(body)
        except (msgspec.DecodeError, ValueError, RecursionError):
            self._pause = PAUSE
            return None
        [item] = request.inputs
        if item.parameters is not NOTHING:
            self._pause = PAUSE
            return None
        if item.name != self._reader.tensor.name:
            return None
        return request, {item.name: self._reader.from_numbers(item.datatype, item.shape, item.data)}
