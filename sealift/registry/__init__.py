"""Images in a registry: which of them hold an artifact, and their deletion. Knows no stores and no keys.

reference.py reads a repository's name; credentials.py reads what `docker login` saved; connection.py speaks to one
repository; artifact_images.py finds and deletes an artifact's images. Protocol:
https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md.
"""

from sealift.registry.artifact_images import delete_images, find_images
from sealift.registry.connection import Repository
from sealift.registry.credentials import find_credentials
from sealift.registry.errors import ImageMissing, RegistryError
from sealift.registry.reference import RepositoryName, parse_repository

__all__ = [
    "ImageMissing",
    "RegistryError",
    "Repository",
    "RepositoryName",
    "delete_images",
    "find_credentials",
    "find_images",
    "parse_repository",
]
