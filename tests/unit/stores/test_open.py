"""URLs of stores: what names one, what does not, and when two name the same."""

from pathlib import Path

import pytest

from sealift.stores import StoreUrlInvalid, absolute_url, is_same_store, open_store


def test_opening_a_store_touches_nothing(tmp_path: Path) -> None:
    open_store(f"file://{tmp_path / 'store'}")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url", ["", "store", "ftp://host/x", "file://", "s3:/bucket", "file://a\0b", "file://~nosuchuser/x"]
)
def test_a_url_that_names_no_store_is_refused_with_what_does(url: str) -> None:
    with pytest.raises(StoreUrlInvalid, match="file://"):
        open_store(url)


@pytest.mark.parametrize(
    "url",
    [
        "htps://me:top-secret@host/x", "top-secret@host", "http://host/x?token=top-secret", "x://y#top-secret",
        "file://~nosuchuser:top-secret@host/x", "file://me:top-secret@\0", "s3://me:top-secret@my-bucket/x",
        "s3://my-bucket/x?token=top-secret", "s3://my-bucket/x?endpoint=https://me:top-secret@host", "s3:/top-secret@x",
    ],
)  # fmt: skip
def test_a_wrong_url_is_refused_without_the_secrets_in_it(url: str) -> None:
    with pytest.raises(StoreUrlInvalid) as refused:
        open_store(url)
    assert "top-secret" not in str(refused.value)


@pytest.mark.parametrize("url", ["file://models/../store", "file://./store"])
def test_a_relative_url_is_resolved_against_the_folder_it_was_written_in(url: str, tmp_path: Path) -> None:
    assert absolute_url(url, tmp_path) == f"file://{tmp_path}/store"


@pytest.mark.parametrize("url", ["file:///var/lib/sealift", "file://~/.sealift/store"])
def test_a_url_that_means_the_same_everywhere_stays_as_it_is(url: str, tmp_path: Path) -> None:
    assert absolute_url(url, tmp_path) == url


def test_one_store_has_many_urls(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "store")

    for url in (f"file://{tmp_path}/store/", f"file://{tmp_path}/other/../store", f"file://{tmp_path}/link"):
        assert is_same_store(url, f"file://{tmp_path}/store")
    assert not is_same_store(f"file://{tmp_path}/other", f"file://{tmp_path}/store")
