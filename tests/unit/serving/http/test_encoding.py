"""Compressed bodies: what is taken, what is refused, and that none becomes larger than a plain one may be."""

import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable

import httpx
import numpy as np
import pytest

from sealift.serving.access import UncheckedAccess
from sealift.serving.errors import InvalidInput
from sealift.serving.http.encoding import MOST_MEMBERS, TooLarge, decompress
from sealift.serving.http.service import HttpService
from sealift.serving.memory_budget import MAX_BODY_BYTES, SMALL_BYTES
from sealift.serving.model import Model
from sealift.serving.served import Served
from tests.unit.serving.http.client import INFER, Client
from tests.unit.serving.tiny import DESCRIPTION, onnx_model, request

PACK: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "deflate": zlib.compress}


@pytest.fixture(scope="module")
def client() -> Client:
    return Client(HttpService(Served("tiny", Model(onnx_model(), DESCRIPTION), UncheckedAccess())))


def ask(client: Client, body: bytes, encoding: str, **headers: str) -> httpx.Response:
    sent = {"accept-encoding": "identity", "content-encoding": encoding}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return client.send("POST", INFER, content=body, headers=sent)


@pytest.mark.parametrize("size", [0, 1, SMALL_BYTES - 1, SMALL_BYTES, SMALL_BYTES + 1, 2 * SMALL_BYTES + 1])
@pytest.mark.parametrize("encoding", PACK)
def test_a_body_is_unpacked_up_to_what_it_may_be(encoding: str, size: int) -> None:
    plain = np.random.default_rng(size).bytes(size)
    packed = PACK[encoding](plain)
    assert decompress(packed, encoding.encode(), size) == plain
    if size:
        with pytest.raises(TooLarge):
            decompress(packed, encoding.encode(), size - 1)


@pytest.mark.parametrize("encoding", PACK)
def test_whatever_is_cut_off_flipped_or_behind_it_is_refused(encoding: str) -> None:
    packed = PACK[encoding](b"some plain text, some plain text")
    for end in range(len(packed)):
        with pytest.raises(InvalidInput, match=f"{encoding}"):
            decompress(packed[:end], encoding.encode(), 100)
    for wrong in (packed[:-1] + bytes([packed[-1] ^ 1]), b"plain", packed + b"x", packed + b"\0"):
        with pytest.raises(InvalidInput, match=f"{encoding}"):
            decompress(wrong, encoding.encode(), 100)


def test_gzip_may_be_several_members_but_not_without_end() -> None:
    member = gzip.compress(b"ab")
    assert decompress(member * MOST_MEMBERS, b"gzip", 1000) == b"ab" * MOST_MEMBERS
    with pytest.raises(TooLarge):
        decompress(member * 5, b"gzip", 9)
    with pytest.raises(InvalidInput, match="exceeds the limit of 64 gzip members"):
        decompress(gzip.compress(b"") * (MOST_MEMBERS + 1), b"gzip", 1000)
    with pytest.raises(InvalidInput, match="after the end of its deflate"):
        decompress(zlib.compress(b"ab") * 2, b"deflate", 1000)


@pytest.mark.parametrize("encoding", ["gzip", "GZip", "x-gzip", "deflate"])
@pytest.mark.parametrize("rows", [1, 20_000], ids=["small", "large"])
def test_a_compressed_request_is_answered_as_the_plain_one(client: Client, encoding: str, rows: int) -> None:
    plain = json.dumps(request([[1, 2, 3]] * rows)).encode()
    packed = PACK["deflate" if encoding == "deflate" else "gzip"](plain)
    answer = ask(client, packed, encoding)
    assert (answer.status_code, answer.json()["outputs"][0]["data"]) == (200, [321] * rows)


def test_the_jsons_length_is_that_of_the_plain_body(client: Client) -> None:
    body = request([[1, 2, 3]])
    data = np.array([1, 2, 3], "<f4").tobytes()
    del body["inputs"][0]["data"]
    body["inputs"][0]["parameters"] = {"binary_data_size": len(data)}
    head = json.dumps(body).encode()
    length = {"inference_header_content_length": str(len(head))}
    answer = ask(client, gzip.compress(head + data), "gzip", **length)
    assert (answer.status_code, answer.json()["outputs"][0]["data"]) == (200, [321])
    length = {"inference_header_content_length": str(len(head) + len(data) + 1)}
    assert ask(client, gzip.compress(head + data), "gzip", **length).status_code == 400


@pytest.mark.parametrize("encoding", ["br", "gzip, deflate", "zstd", "compress", "gzip;q=1", "!"])
def test_another_encoding_is_refused_and_what_is_known_is_said(client: Client, encoding: str) -> None:
    answer = ask(client, b"{}", encoding)
    assert (answer.status_code, answer.headers["accept-encoding"]) == (415, "gzip, deflate")
    assert "allowed: gzip, deflate" in answer.json()["error"]


def test_two_encodings_are_one_that_is_not_known_and_identity_is_none(client: Client) -> None:
    plain = json.dumps(request([[1, 2, 3]])).encode()
    twice = [("content-encoding", "gzip"), ("content-encoding", "gzip")]
    assert client.send("POST", INFER, content=gzip.compress(plain), headers=twice).status_code == 415
    assert ask(client, plain, "identity").status_code == 200


@pytest.mark.parametrize("plain_bytes", [MAX_BODY_BYTES + 1, 1 << 29], ids=["small", "large"])
def test_a_bomb_is_too_large_and_takes_no_more_memory_than_a_body(client: Client, plain_bytes: int) -> None:
    bomb = gzip.compress(bytes(plain_bytes))
    assert (len(bomb) > SMALL_BYTES) is (plain_bytes == 1 << 29)
    tracemalloc.start()
    answer = ask(client, bomb, "gzip")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (answer.status_code, "exceeds the limit" in answer.json()["error"]) == (413, True)
    assert peak < 3 * MAX_BODY_BYTES
    assert client.infer(request([[1, 2, 3]])).status_code == 200


def test_what_is_no_gzip_is_a_bad_request(client: Client) -> None:
    answer = ask(client, b'{"inputs": "secret"}', "gzip")
    assert answer.status_code == 400
    assert answer.json()["error"] == "the body is not gzip, although its content-encoding says so"


@pytest.mark.parametrize(
    ("accepted", "compressed"),
    [
        ("gzip", True), ("deflate, GZIP;q=0.5", True), ("gzip; q=1.0", True), ("gzip;q=0", False),
        ("gzip; q=0.000", False), ("identity", False), ("deflate", False), ("gzipped", False), ("", False),
    ],
)  # fmt: skip
def test_a_large_answer_is_compressed_for_who_accepts_it(client: Client, accepted: str, compressed: bool) -> None:
    body = json.dumps(request([[1, 2, 3]] * 20_000)).encode()
    answer = client.send("POST", INFER, content=body, headers={"accept-encoding": accepted})
    assert answer.headers.get("content-encoding") == ("gzip" if compressed else None)
    assert answer.json()["outputs"][0]["data"] == [321] * 20_000
    small = client.send(
        "POST", INFER, content=json.dumps(request([[1, 2, 3]])).encode(), headers={"accept-encoding": accepted}
    )
    assert "content-encoding" not in small.headers
