"""Damage to files of random bytes: another byte in place of the last one, never the same by chance."""

from sealift.sealing.memory import Buffer


def with_another_last_byte(content: Buffer) -> bytes:
    """Returns the content with its last byte's lowest bit flipped."""
    changed = bytearray(content)
    changed[-1] ^= 1
    return bytes(changed)
