"""The connection to the Docker engine, and what goes wrong with it, said so that a user can act."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import requests

import docker
from sealift.provider import PluginError

DEFAULT_HOST: Final = "unix:///var/run/docker.sock"
CONNECT_SECONDS: Final = 10
STEP_SECONDS: Final = 1800  # the longest that one step of a build may be silent


@contextmanager
def docker_engine() -> Iterator[docker.APIClient]:
    """A client of the engine at DOCKER_HOST. Raises PluginError if none answers."""
    host = os.environ.get("DOCKER_HOST", DEFAULT_HOST)
    try:
        docker.APIClient(base_url=host, timeout=CONNECT_SECONDS, version="auto").close()
        client = docker.APIClient(base_url=host, timeout=STEP_SECONDS, version="auto")
    except (docker.errors.DockerException, requests.RequestException) as error:
        raise PluginError(
            f"no Docker engine answers at {host}: {_cause(error)}",
            "start Docker, or set DOCKER_HOST to where it listens; `make setup` starts one where there is none",
        ) from error
    try:
        yield client
    except docker.errors.APIError as error:
        raise PluginError(f"the Docker engine at {host} refused: {error.explanation or error}") from error
    except requests.RequestException as error:
        raise PluginError(
            f"the connection to the Docker engine at {host} broke: {_cause(error)}", "run `pulumi up` again"
        ) from error
    finally:
        client.close()


def _cause(error: Exception) -> str:
    """The innermost reason in words; the libraries wrap it several times."""
    text = str(error)
    for known in ("No such file or directory", "Connection refused", "Permission denied", "timed out"):
        if known in text:
            return known
    return text
