"""The sealed model that a document is about, and the packages that its description names."""

import re
from dataclasses import dataclass
from typing import Final

from sealift.contents.description import Description

LIBRARY: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*) ([A-Za-z0-9][A-Za-z0-9._+!-]*)\Z", re.ASCII)
FILE_SET: Final = "sealiftFileSet"
"""Name of the digest over a set of files: `sealift/durable/file_set.py` defines it."""
SEGMENTED: Final = "sealiftPayload"
"""Name of the digest over a payload's segments: docs/reference/format-v1.md defines it."""


@dataclass(frozen=True)
class Subject:
    """One artifact: the public fields of its manifest, its payload file's own digest, and its description."""

    artifact_id: str
    payload_digest: str
    payload_size: int
    payload_sha256: str
    """SHA-256 of the payload file, in hex, for programs that do not know payload digests."""
    description: Description


@dataclass(frozen=True)
class Library:
    """A package of the Python package index."""

    name: str
    version: str

    @property
    def purl(self) -> str:
        """Its package URL (https://github.com/package-url/purl-spec)."""
        version = self.version.replace("+", "%2B").replace("!", "%21")
        return f"pkg:pypi/{self.name.lower().replace('_', '-')}@{version}"


def list_libraries(description: Description) -> list[Library]:
    """Returns the packages of a text such as "torch 2.15.0, numpy 2.4.6"; parts of another form are left out."""
    matches = (LIBRARY.match(part.strip()) for part in (description.libraries or "").split(","))
    return [Library(match[1], match[2]) for match in matches if match]
