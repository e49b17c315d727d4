"""User and password of a registry, as `docker login` saved them, or as its credential helper returns them.

File: https://docs.docker.com/reference/cli/docker/login/#credential-stores.
"""

import base64
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sealift.registry.errors import RegistryError
from sealift.registry.reference import DOCKER_HUB

DOCKER_HUB_KEY: Final = "https://index.docker.io/v1/"
HELPER_SECONDS: Final = 30
LARGEST_FILE: Final = 1 << 20

Credentials = tuple[str, str]
"""User and password."""


def find_credentials(registry: str, environment: Mapping[str, str]) -> Credentials | None:
    """Returns a registry's credentials, or None if Docker has none. Raises RegistryError, without any secret."""
    folder = environment.get("DOCKER_CONFIG") or str(Path(environment.get("HOME") or "~").expanduser() / ".docker")
    file = Path(folder) / "config.json"
    key = DOCKER_HUB_KEY if registry == DOCKER_HUB else registry
    config = _read(file)
    helper = _section(config, "credHelpers").get(key) or config.get("credsStore")
    if isinstance(helper, str) and helper:
        return _ask_helper(helper, key, environment)
    entry = _section(config, "auths").get(key) or _section(config, "auths").get(f"https://{key}")
    if not isinstance(entry, dict) or not entry.get("auth"):
        return None
    try:
        user, colon, password = base64.b64decode(str(entry["auth"]).encode(), validate=True).decode().partition(":")
    except ValueError:
        colon = ""
    if not colon:
        raise RegistryError(f"the credentials of {registry} in {file} cannot be read", f"run `docker login {registry}`")
    return user, password.rstrip("\0")


def _read(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as opened:
            config = json.loads(opened.read(LARGEST_FILE))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise RegistryError(f"{file} cannot be read: {error.strerror}", "check its permissions") from None
    except (ValueError, RecursionError):
        config = None
    if not isinstance(config, dict):
        raise RegistryError(f"{file} is not JSON", "run `docker login`, which writes it")
    return config


def _section(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = config.get(name)
    return found if isinstance(found, dict) else {}


def _ask_helper(helper: str, key: str, environment: Mapping[str, str]) -> Credentials | None:
    program = f"docker-credential-{helper}"
    if "/" in helper:
        raise RegistryError(f"Docker's config names the credential helper {helper!r}", "a helper's name has no slash")
    try:
        asked = subprocess.run(
            [program, "get"],
            input=key.encode(),
            capture_output=True,
            timeout=HELPER_SECONDS,
            check=False,
            env=dict(environment),
        )
    except (OSError, ValueError, subprocess.SubprocessError):  # a ValueError: the name has a null character
        raise RegistryError(f"the credential helper {program} does not run", "install it, or log in again") from None
    if asked.returncode != 0:
        return None
    try:
        answer = json.loads(asked.stdout)
        return str(answer["Username"]), str(answer["Secret"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise RegistryError(f"the credential helper {program} gave no credentials", "log in again") from None
