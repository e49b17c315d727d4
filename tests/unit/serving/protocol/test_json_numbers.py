"""Numbers in JSON → an array: the same bits as NumPy's, however many they are."""

import json

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealift.serving.protocol.json_numbers import MANY, NumberReader
from sealift.serving.tensor import KINDS

FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=32) | st.floats(-1e38, 1e38) | st.just(3.4028235e38)
COUNTS = (0, 1, MANY - 1, MANY, MANY + 1, 5 * MANY)


@pytest.mark.parametrize("datatype", ["FP16", "FP32", "FP64"])
@pytest.mark.parametrize("count", COUNTS)
@given(st.data())
def test_an_array_has_the_bits_of_numpy_s(datatype: str, count: int, data: st.DataObject) -> None:
    some = data.draw(st.lists(FLOATS, min_size=1, max_size=8))
    small = [number if datatype != "FP16" else number % 60_000 for number in some]
    numbers = [small[index % len(small)] for index in range(count)]

    read = NumberReader(datatype, 2).read(msgspec.Raw(json.dumps(numbers).encode()))

    assert read.tobytes() == np.array(numbers, KINDS[datatype]).tobytes()
    assert read.dtype == KINDS[datatype]


@pytest.mark.parametrize("count", COUNTS[1:])
@pytest.mark.parametrize("beyond", ["1e39", "-3.4028236e38"])
def test_the_first_number_beyond_a_datatype_is_told(count: int, beyond: str) -> None:
    text = f"[{'0.5,' * (count - 1)}{beyond}]"

    with pytest.raises(ValueError, match=rf"a number at \[{count - 1}\] that is beyond FP32"):
        NumberReader("FP32", 2).read(msgspec.Raw(text.encode()))


def test_halfway_to_what_is_beyond_rounds_to_the_largest() -> None:
    most = float(np.finfo(np.float32).max)
    text = json.dumps([most + 2.0**102] * MANY)  # less than half of the last place above it

    assert set(NumberReader("FP32", 2).read(msgspec.Raw(text.encode())).tolist()) == {most}
