"""What of a URL is shown."""

import pytest

from sealift.settings.urls import (
    ends_where_seen,
    has_credentials,
    without_credentials,
    without_credentials_in,
    without_parts_of,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://host/data.csv", "https://host/data.csv"),
        ("https://me:hush@host:8443/data.csv", "https://…@host:8443/data.csv"),
        ("https://hush@host/data.csv", "https://…@host/data.csv"),
        ("https://me:hu/sh@host/data.csv", "https://…@host/data.csv"),
        ("https://me:h?u#s'h\"@host/data.csv", "https://…@host/data.csv"),
        ("https://me:hush@hush@host/data.csv", "https://…@host/data.csv"),
        ("https://host/data.csv?X-Amz-Signature=hush", "https://host/data.csv?…"),
        ("https://host/data.csv#hush", "https://host/data.csv#…"),
        ("sftp://me:hush@host/a b", "sftp://…@host/a b"),
        ("simplecache::https://me:hush@host/a.csv", "simplecache::https://…@host/a.csv"),
        ("is 'https://me:hush@host/a?sig=hush'; url=URL(\"https://h/b?hush\")",
         "is 'https://…@host/a?…'; url=URL(\"https://h/b?…\")"),
        ("mail me@host, see data/churn.csv?", "mail me@host, see data/churn.csv?"),
    ],
)  # fmt: skip
def test_no_part_of_a_url_that_may_be_a_secret_is_shown(text: str, shown: str) -> None:
    assert without_credentials(text) == shown
    assert has_credentials(text) == (text != shown)
    assert "hush" not in shown


def test_neither_in_objects_and_lists() -> None:
    value = {"dataset": "s3://k:hush@bucket/a.csv", "list": [{"path": "https://h/?hush"}, 1, None], "epochs": 3}

    assert without_credentials_in(value) == {
        "dataset": "s3://…@bucket/a.csv",
        "list": [{"path": "https://h/?…"}, 1, None],
        "epochs": 3,
    }


UNHIDDEN = [
    "http://me:my hush@host/a.csv", "https://host/a.csv?sig=a hush", "https://host/a b.csv?sig=hush",
    "https://host/a.csv#a hush", "https://host/a.csv?sig='hush", 'https://host/a"b.csv?sig=hush',
    "https://host/a.csv?sig=a\u00a0hush", "http://me:my\thush@host/a.csv", "http://me:my\x01hush@host/a.csv",
    "s3://bucket/a\nhush.csv",
]  # fmt: skip


@pytest.mark.parametrize("url", UNHIDDEN)
def test_a_url_whose_secret_would_show_in_texts_is_known_as_one(url: str) -> None:
    assert not ends_where_seen(url)
    assert has_credentials(url)


@pytest.mark.parametrize(
    "place",
    ["data/a b.csv", "data/a?b.csv", "iris", "s3://bucket/a b.csv", "https://host/a%20b.csv?sig=a%20hush",
     "https://me:h'u@host/a.csv", "simplecache::https://host/a.csv?sig=hush", "zip://a.csv::https://host/a.zip?hush"],
)  # fmt: skip
def test_a_path_and_a_url_that_is_hidden_or_has_nothing_to_hide_are_places(place: str) -> None:
    assert ends_where_seen(place)


@pytest.mark.parametrize(
    "text",
    ["url: /data.csv?sig=hush%2Fhush&v=1", "no access for me:hu%40sh-1", "wrong password hu@sh-1", "sig hush/hush",
     "https://me:hu%40sh-1@host/data.csv?sig=hush%2Fhush&v=1", "GET data.csv sig=hush/hush&v=1 -> 403"],
)  # fmt: skip
def test_a_library_s_text_shows_no_piece_of_the_url(text: str) -> None:
    shown = without_parts_of("https://me:hu%40sh-1@host/data.csv?sig=hush%2Fhush&v=1", text)

    assert "hush" not in shown
    assert "sh-1" not in shown
    assert "…" in shown
    assert without_parts_of("data/hush.csv", "hush.csv is odd") == "hush.csv is odd"
