"""A record opens under its own name with its own store's key, and content ids tell a thief nothing."""

import pytest

from sealing import ArtifactCorrupt, content_id, open_record, seal_record

KEY = bytes(range(32))
NAME = "ab" * 32


def test_a_record_comes_back() -> None:
    assert bytes(open_record(KEY, NAME, seal_record(KEY, NAME, b"checkpoint"))) == b"checkpoint"


def test_a_record_in_another_s_place_is_refused() -> None:
    with pytest.raises(ArtifactCorrupt):
        open_record(KEY, "cd" * 32, seal_record(KEY, NAME, b"checkpoint"))


def test_another_store_s_key_opens_nothing() -> None:
    with pytest.raises(ArtifactCorrupt):
        open_record(bytes(32), NAME, seal_record(KEY, NAME, b"checkpoint"))


def test_a_content_id_is_the_same_for_the_same_content_in_one_store_only() -> None:
    assert content_id(KEY, b"digest") == content_id(KEY, b"digest")
    assert content_id(KEY, b"digest") != content_id(bytes(32), b"digest")
    assert content_id(KEY, b"digest") != content_id(KEY, b"tsegid")
