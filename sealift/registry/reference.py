"""Names of repositories, such as ghcr.io/acme/sealift-model, in Docker's own terms
(https://pkg.go.dev/github.com/distribution/reference)."""

import re
from dataclasses import dataclass
from typing import Final

from sealift.registry.errors import RegistryError

DOCKER_HUB: Final = "docker.io"
DOCKER_HUB_HOST: Final = "registry-1.docker.io"
HOST: Final = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?\Z", re.ASCII)
PATH: Final = re.compile(
    r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*\Z", re.ASCII
)
DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}\Z")
TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}\Z")
LOCAL: Final = ("localhost", "127.0.0.1", "[::1]")
LARGEST_NAME: Final = 255


@dataclass(frozen=True)
class RepositoryName:
    """A repository, and the digest of one image in it if the reference has one."""

    registry: str
    """Host and port, as the user wrote them."""
    path: str
    digest: str | None = None

    @property
    def host(self) -> str:
        """Host and port that answer."""
        return DOCKER_HUB_HOST if self.registry == DOCKER_HUB else self.registry

    @property
    def is_local(self) -> bool:
        """Whether the registry is on this machine, where it may speak plain HTTP, as Docker allows too."""
        return is_on_this_machine(self.registry)

    def __str__(self) -> str:
        return f"{self.registry}/{self.path}"


def is_on_this_machine(place: str) -> bool:
    """Whether a host, with or without a port, is this machine by its name."""
    return place in LOCAL or place.rpartition(":")[0] in LOCAL


def parse_repository(text: str) -> RepositoryName:
    """Reads REGISTRY/REPOSITORY or REGISTRY/REPOSITORY@sha256:DIGEST. Raises RegistryError.

    A tag is refused: it says nothing of the images that it named earlier, which may hold the same model.
    """
    whole, _, digest = text.partition("@")
    registry, _, path = whole.partition("/")
    is_host = "." in registry or ":" in registry or registry == "localhost"
    valid = is_host and HOST.match(registry) and PATH.match(path) and len(whole) <= LARGEST_NAME
    if not valid or ("@" in text and not DIGEST.match(digest)):
        has_user = "@" in text and not digest.startswith("sha256:")  # as in a URL with a password
        raise RegistryError(
            f"{'the text' if has_user else repr(text[:LARGEST_NAME])} names no repository",
            "allowed: REGISTRY/REPOSITORY, such as ghcr.io/acme/sealift-model, for the images of all its tags, or one "
            "image by its digest, REGISTRY/REPOSITORY@sha256:…",
        )
    return RepositoryName(registry, path, digest or None)
