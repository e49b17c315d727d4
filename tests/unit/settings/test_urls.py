"""What of a URL is shown."""

import pytest

from settings.urls import has_credentials, without_credentials, without_credentials_in


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
