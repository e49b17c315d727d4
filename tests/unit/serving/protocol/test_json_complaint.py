"""What clients are told whose body is not JSON."""

import msgspec
import pytest

from sealift.serving.protocol.json_complaint import complaint

INPUT = '{"inputs":[{"name":"input","shape":[1,3],"datatype":"FP32","data":[%s,2,3]}]}'


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (INPUT % "NaN", "JSON has no NaN or infinity; send a number (byte 67)"),
        (INPUT % "1,Infinity", "JSON has no NaN or infinity; send a number (byte 69)"),
        (INPUT % "-Infinity", "JSON has no NaN or infinity; send a number (byte"),
        (INPUT % "1,nan", "JSON has no NaN"),
        (INPUT % "None", "JSON has null, true and false"),
        (INPUT % "True", "JSON has null, true and false"),
        ("{'inputs': []}", "JSON needs double quotes"),
        ("\ufeff" + INPUT % "1", "begins with a byte order mark; send UTF-8 without one"),
        ((INPUT % "1").encode("utf-16"), "the body is UTF-16; send UTF-8"),
        (b"\x1f\x8b\x08\x00abc", "send the header Content-Encoding: gzip with it"),
        ("", "the body is empty"),
        (" \r\n", "the body is empty"),
        (INPUT % "1" + "]", "JSON is malformed: trailing characters"),
        ('{"name": "nan", "secret": x}', "invalid character"),
    ],
)
def test_the_mistake_is_named_and_not_its_position_alone(body: str | bytes, said: str) -> None:
    content = body if isinstance(body, bytes) else body.encode()
    with pytest.raises(msgspec.DecodeError) as refused:
        msgspec.json.decode(content)

    assert said in complaint(content, refused.value)
    assert "secret" not in complaint(content, refused.value)
