"""A repository's name is read as Docker reads it."""

import pytest

from sealift.registry import RegistryError, RepositoryName, parse_repository

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "name", "local"),
    [
        ("ghcr.io/acme/model", RepositoryName("ghcr.io", "acme/model"), False),
        ("localhost:5000/sealift-model", RepositoryName("localhost:5000", "sealift-model"), True),
        ("localhost/a", RepositoryName("localhost", "a"), True),
        ("127.0.0.1:5000/a__b/c.d", RepositoryName("127.0.0.1:5000", "a__b/c.d"), True),
        ("[::1]:5000/a", RepositoryName("[::1]:5000", "a"), True),
        ("localhost.example.com/a", RepositoryName("localhost.example.com", "a"), False),
        (f"docker.io/acme/model@{DIGEST}", RepositoryName("docker.io", "acme/model", DIGEST), False),
    ],
)
def test_names(text: str, name: RepositoryName, local: bool) -> None:
    assert parse_repository(text) == name
    assert name.is_local is local


@pytest.mark.parametrize(
    "text",
    [
        "", "model", "acme/model", "ghcr.io", "ghcr.io/", "ghcr.io/Acme", "ghcr.io/a:dev", f"ghcr.io/a:dev@{DIGEST}",
        "ghcr.io/a@", "ghcr.io/a@sha256:0", "ghcr.io/../a", "ghcr.io/a?b", "user@ghcr.io/a", "ghcr.io/a\r\nb",
        f"ghcr.io/{'a' * 250}", "https://ghcr.io/a",
    ],
)  # fmt: skip
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(RegistryError, match="names no repository"):
        parse_repository(text)


@pytest.mark.parametrize("text", ["https://ada:password@ghcr.io/a", "ada:password@ghcr.io/a"])
def test_a_password_in_a_name_is_not_quoted(text: str) -> None:
    with pytest.raises(RegistryError) as refused:
        parse_repository(text)

    assert "password" not in str(refused.value)
