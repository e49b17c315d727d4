"""Which texts can name an image, one by content, and a registry."""

import pytest

from components.image_reference import is_pinned, is_reference, is_registry

DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    "text",
    [
        "python",
        "python:3.12-slim",
        "library/python",
        "localhost:5000/base:1",
        "registry.example.com/a/b_c/d--e",
        "[::1]:5000/a",
    ],
)
def test_names_without_a_digest_are_references_but_not_pinned(text: str) -> None:
    assert is_reference(text)
    assert not is_pinned(text)
    assert is_reference(f"{text}@{DIGEST}")
    assert is_pinned(f"{text}@{DIGEST}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Python",
        "a b",
        "a/",
        "/a",
        "a:",
        "a@",
        "https://a/b",
        "a@sha256:12",
        f"a@{DIGEST}0",
        f"a@{DIGEST.upper()}",
        "a..b",
        "a" * 256,
    ],
)
def test_texts_that_name_no_image_are_neither(text: str) -> None:
    assert not is_reference(text)
    assert not is_pinned(text)


@pytest.mark.parametrize(
    "text", ["localhost:5000", "registry.example.com", "registry.example.com/team/models", "127.0.0.1:5000"]
)
def test_registries_have_a_host_and_perhaps_port_and_path(text: str) -> None:
    assert is_registry(text)
    assert is_reference(f"{text}/sealift-model:dev")


@pytest.mark.parametrize(
    "text", ["", "https://registry.example.com", "localhost:", "localhost:5000/", "host/Path", "a b"]
)
def test_what_nothing_can_be_named_under_is_no_registry(text: str) -> None:
    assert not is_registry(text)
