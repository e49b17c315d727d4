"""Credentials come from where `docker login` keeps them."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from sealift.registry import RegistryError, find_credentials


def configure(folder: Path, config: Any) -> dict[str, str]:
    (folder / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
    return {"DOCKER_CONFIG": str(folder), "PATH": str(folder)}


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_a_saved_login_is_used_for_its_registry_alone(tmp_path: Path) -> None:
    auths = {"ghcr.io": {"auth": encoded("ada:pass:word")}, "https://index.docker.io/v1/": {"auth": encoded("bob:hub")}}
    environment = configure(tmp_path, {"auths": auths})

    assert find_credentials("ghcr.io", environment) == ("ada", "pass:word")
    assert find_credentials("docker.io", environment) == ("bob", "hub")
    assert find_credentials("localhost:5000", environment) is None
    assert find_credentials("ghcr.io", {"HOME": str(tmp_path)}) is None


def test_a_credential_helper_answers(tmp_path: Path) -> None:
    helper = tmp_path / "docker-credential-test"
    helper.write_text(
        '#!/bin/sh\nread -r registry\n[ "$registry" = ghcr.io ] || exit 1\n'
        'echo "{\\"Username\\": \\"ada\\", \\"Secret\\": \\"from $registry\\"}"\n'
    )
    helper.chmod(0o700)
    environment = configure(tmp_path, {"credHelpers": {"ghcr.io": "test"}, "credsStore": "test"})

    assert find_credentials("ghcr.io", environment) == ("ada", "from ghcr.io")
    assert find_credentials("quay.io", environment) is None


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ("{", "is not JSON"),
        ("[]", "is not JSON"),
        ({"auths": {"ghcr.io": {"auth": "c2VjcmV0"}}}, "cannot be read"),
        ({"auths": {"ghcr.io": {"auth": "\u00e9secret"}}}, "cannot be read"),
        ({"credsStore": "../secret"}, "credential helper"),
        ({"credsStore": "missing"}, "does not run"),
        ({"credsStore": "null\0"}, "does not run"),
    ],
)
def test_a_broken_config_is_named_without_what_it_holds(tmp_path: Path, config: Any, says: str) -> None:
    with pytest.raises(RegistryError, match=says) as refused:
        find_credentials("ghcr.io", configure(tmp_path, config))

    assert "c2VjcmV0" not in str(refused.value) and "\u00e9secret" not in str(refused.value)
