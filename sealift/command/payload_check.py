"""Comparison of a payload with its manifest, in one reading of the payload."""

from sealift.command.artifact import Location
from sealift.command.errors import CommandError
from sealift.command.terminal import Terminal
from sealift.payload_digests import read_digests
from sealift.sealing import stream_digest
from sealift.sealing.manifest import Manifest


def check_payload(location: Location, manifest: Manifest, terminal: Terminal, what: str) -> None:
    """Raises CommandError unless the payload has the size and the digest of its manifest. `what` names the work."""
    with location.payload_stream() as payload, terminal.meter(what, manifest.payload_size) as meter:
        digest = stream_digest(meter.stream(payload))
    _compare(digest, meter.done_bytes, manifest)


def payload_sha256(location: Location, manifest: Manifest, terminal: Terminal, what: str) -> str:
    """Does the same as `check_payload`, and returns the hex SHA-256 of the payload's file."""
    with location.payload_stream() as payload, terminal.meter(what, manifest.payload_size) as meter:
        found = read_digests(meter.stream(payload))
    _compare(found.payload_digest, found.size_bytes, manifest)
    return found.sha256


def _compare(digest: str, size_bytes: int, manifest: Manifest) -> None:
    if (digest, size_bytes) != (manifest.payload_digest, manifest.payload_size):
        raise CommandError(
            "the payload differs from what was sealed",
            "find out who can write to the place of the artifact, and restore it from a copy",
        )
