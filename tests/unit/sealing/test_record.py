"""A record opens under its own name with its own store's key, and content ids tell a thief nothing."""

import pytest

from sealift.sealing import ArtifactCorrupt, content_id, mask_key, open_record, record_key, seal_record

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


def test_the_key_of_one_record_opens_no_other() -> None:
    other = "cd" * 32
    sealed = seal_record(record_key(KEY, other), other, b"metrics of an older run")

    for key in (record_key(KEY, NAME), KEY):
        with pytest.raises(ArtifactCorrupt):
            open_record(key, other, sealed)
    assert bytes(open_record(record_key(KEY, other), other, sealed)) == b"metrics of an older run"


def test_records_masks_and_content_ids_have_keys_of_their_own() -> None:
    derived = {record_key(KEY, NAME), record_key(KEY, "cd" * 32), mask_key(KEY), KEY}

    assert len(derived) == 4
