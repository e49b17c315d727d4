"""An issuer's public keys, by the key id and algorithm that a token names (RFC 7517).

Keys for other uses and algorithms, and unknown ones, are ignored, as section 5 requires. Only the public members of a
key are read: if a set contains private members by mistake, they do not enter the server.
"""

from collections.abc import Sequence
from typing import Annotated, Final

import jwt
from msgspec import DecodeError, Meta, Raw, Struct
from msgspec.json import Decoder

from sealift.serving.access.access_file import Algorithm
from sealift.serving.errors import AccessInvalid

KEY_SET_BYTES: Final = 256 * 1024  # a hundred RSA keys with certificate chains
_CURVES: Final = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
_PUBLIC: Final = ("kty", "crv", "n", "e", "x", "y")

KeySet = dict[tuple[str | None, str], jwt.PyJWK]
"""Keys by key id and algorithm. If an algorithm has a single key, it is also under the id None."""


class _Key(Struct):
    kty: str
    kid: str | None = None
    use: str | None = None
    key_ops: list[str] | None = None
    alg: str | None = None
    crv: str | None = None
    n: str | None = None
    e: str | None = None
    x: str | None = None
    y: str | None = None


class _Keys(Struct):
    keys: Annotated[list[Raw], Meta(max_length=1000)]


_SET_DECODER: Final = Decoder(_Keys)
_KEY_DECODER: Final = Decoder(_Key)


def parse_key_set(content: bytes, algorithms: Sequence[Algorithm], origin: str) -> KeySet:
    """Parses a key set. Raises AccessInvalid if it has no key for any of the algorithms."""
    try:
        raw_keys = _SET_DECODER.decode(content).keys
    except DecodeError as error:
        raise AccessInvalid(f"{origin} is not a JSON Web Key Set: {error}") from None
    keys = [key for raw in raw_keys if (key := _understood(raw))]
    found: KeySet = {}
    for algorithm in algorithms:
        usable = [(key.kid, made) for key in keys if _fits(key, algorithm) and (made := _make_key(key, algorithm))]
        for kid, made in usable:
            found.setdefault((kid, algorithm), made)
        if len(usable) == 1:
            found[None, algorithm] = usable[0][1]
        else:
            found.pop((None, algorithm), None)  # several keys: a token without an id does not determine one
    if not found:
        raise AccessInvalid(f"{origin} has no key for {' or '.join(algorithms)}")
    return found


def _understood(raw: Raw) -> _Key | None:
    try:
        return _KEY_DECODER.decode(raw)
    except DecodeError:
        return None


def _fits(key: _Key, algorithm: Algorithm) -> bool:
    if key.use not in (None, "sig") or (key.key_ops is not None and "verify" not in key.key_ops):
        return False
    if key.alg is not None and key.alg != algorithm:
        return False
    if algorithm in _CURVES:
        return key.kty == "EC" and key.crv == _CURVES[algorithm]
    return key.kty == ("OKP" if algorithm == "EdDSA" else "RSA")


def _make_key(key: _Key, algorithm: Algorithm) -> jwt.PyJWK | None:
    members = {name: value for name in _PUBLIC if (value := getattr(key, name)) is not None}
    try:
        return jwt.PyJWK(members, algorithm)
    except Exception:  # noqa: BLE001 - an unusable key does not affect the others
        return None
