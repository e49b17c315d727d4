"""The connection to the Docker engine, with errors that say what the user can do."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import requests

import docker
from sealift.provider import PluginError

DEFAULT_HOST: Final = "unix:///var/run/docker.sock"
CONNECT_SECONDS: Final = 10
STEP_SECONDS: Final = 1800  # longest time without output in a step of a build


@contextmanager
def docker_engine() -> Iterator[docker.APIClient]:
    """Opens a client of the engine at DOCKER_HOST. Raises PluginError if it does not answer."""
    host = os.environ.get("DOCKER_HOST", DEFAULT_HOST)
    try:
        docker.APIClient(base_url=host, timeout=CONNECT_SECONDS, version="auto").close()
        client = docker.APIClient(base_url=host, timeout=STEP_SECONDS, version="auto")
    except (docker.errors.DockerException, requests.RequestException) as error:
        raise PluginError(
            f"no Docker engine answers at {host}: {_cause(error)}",
            "start Docker, or set DOCKER_HOST to its address; `make setup` starts an engine if none is running",
        ) from error
    try:
        yield client
    except docker.errors.APIError as error:
        raise PluginError(f"the Docker engine at {host} refused the request: {error.explanation or error}") from error
    except requests.RequestException as error:
        raise PluginError(
            f"the connection to the Docker engine at {host} broke: {_cause(error)}", "run `pulumi up` again"
        ) from error
    finally:
        client.close()


def _cause(error: Exception) -> str:
    """Returns the innermost reason, which the libraries wrap several times."""
    text = str(error)
    for known in ("No such file or directory", "Connection refused", "Permission denied", "timed out"):
        if known in text:
            return known
    return text
