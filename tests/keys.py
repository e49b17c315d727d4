"""Key pairs that tests share, since making one of RSA-4096 takes half a second. Which one a test has is its number."""

from functools import cache

from sealift.sealing import RsaIdentity

_generate = RsaIdentity.generate  # as it is, also where a test puts another in its place


@cache
def key_pair(number: int = 0) -> RsaIdentity:
    return _generate()
