"""A set of files is its names, contents and, if asked for, modes: nothing more, and none runs into another."""

import hashlib
import io
from pathlib import Path

import pytest

from sealift.durable import file_set
from sealift.durable.file_set import PIECE_BYTES

ONE, TWO = file_set.of_bytes(b"1"), file_set.of_bytes(b"2")


def test_the_definition_is_what_it_was() -> None:
    """Whoever changes it trains every model anew and makes every image anew."""
    framed = b"1:a,0:,64:" + ONE.encode() + b"," + b"3:b/c,0:,64:" + TWO.encode() + b","

    assert file_set.digest({"b/c": TWO, "a": ONE}) == hashlib.sha256(framed).hexdigest()
    assert file_set.digest({}) == hashlib.sha256().hexdigest()


def test_the_order_in_which_files_come_does_not_count() -> None:
    assert file_set.digest({"a": ONE, "b": TWO}) == file_set.digest({"b": TWO, "a": ONE})


def test_names_contents_and_modes_are_told_apart() -> None:
    digests = [
        file_set.digest({}),
        file_set.digest({"a": ONE}),
        file_set.digest({"b": ONE}),
        file_set.digest({"a": TWO}),
        file_set.digest({"a": ONE, "b": TWO}),
        file_set.digest({"a": TWO, "b": ONE}),
        file_set.digest({f"a,0:,64:{ONE},1:b": TWO}),
        file_set.digest({"a": ONE}, {"a": 0o100644}),
        file_set.digest({"a": ONE}, {"a": 0o100755}),
        file_set.digest({"a": f"6:100644,{ONE}"}),
    ]

    assert len(set(digests)) == len(digests)


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 2 * PIECE_BYTES + 1])
def test_one_file_s_digest_is_plain_sha_256_of_its_bytes(tmp_path: Path, size: int) -> None:
    content = bytes(range(256)) * (size // 256) + bytes(size % 256)
    (tmp_path / "file").write_bytes(content)
    plain = hashlib.sha256(content).hexdigest()

    assert file_set.of_bytes(content) == plain
    assert file_set.of_stream(io.BytesIO(content)) == plain
    assert file_set.of_file(tmp_path / "file") == plain


def test_a_name_that_is_not_unicode_has_a_digest(tmp_path: Path) -> None:
    assert len(file_set.digest({b"\xff".decode("utf-8", "surrogateescape"): ONE})) == 64
