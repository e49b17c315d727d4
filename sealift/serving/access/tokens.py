"""JSON Web Token (RFC 7519) of an issuer → the caller that it names.

PyJWT checks signature and claims. A check takes up to 0.4 ms, so callers of valid tokens are cached by the token's
digest until the token expires or the issuer's keys change. Only valid tokens enter the cache, so strangers cannot fill
it.
"""

from collections.abc import Callable, Mapping
from typing import Final, get_args

import jwt

from sealift.serving.access.access_file import Issuer
from sealift.serving.access.caller import Caller
from sealift.serving.access.contract import Scope
from sealift.serving.access.key_set import KeySet, parse_key_set
from sealift.serving.access.remote_keys import RemoteKeys
from sealift.serving.errors import Unauthenticated

MAX_KNOWN: Final = 10_000
NAME_CHARACTERS: Final = 128
_SCOPES: Final = frozenset(get_args(Scope))


class Tokens:
    """Callers by tokens of one issuer."""

    def __init__(self, issuer: Issuer, keys: KeySet | RemoteKeys) -> None:
        self.issuer = issuer
        self._keys = keys
        self._known: dict[bytes, Caller] = {}
        self._decoder = jwt.PyJWT({"enforce_minimum_key_length": True, "require": ["exp", "iss", "aud", "sub"]})

    def caller(self, token: bytes, digest: bytes) -> Caller:
        """Returns the caller. `digest` identifies the token. Raises Unauthenticated with the token's problem."""
        known = self._known.get(digest)
        if known is not None:
            return known
        caller = self._caller_of(self._verify(token))
        if len(self._known) >= MAX_KNOWN:
            del self._known[next(iter(self._known))]  # the oldest one
        self._known[digest] = caller
        return caller

    def refresh(self, now: float) -> None:
        """Refreshes the issuer's keys. If they changed, all tokens are checked again, as their key may be withdrawn."""
        if isinstance(self._keys, RemoteKeys) and self._keys.refresh(now):
            self._known.clear()

    def _verify(self, token: bytes) -> Mapping[str, object]:
        try:
            header = jwt.get_unverified_header(token)
            claims: Mapping[str, object] = self._decoder.decode(
                token,
                self._key(header.get("kid"), header.get("alg")),
                algorithms=self.issuer.algorithms,
                audience=self.issuer.audience,
                issuer=self.issuer.issuer,
                leeway=self.issuer.leeway_seconds,
            )
        except (jwt.PyJWTError, ValueError) as error:
            raise Unauthenticated(f"the token is refused: {error}") from None
        return claims

    def _key(self, key_id: str | None, algorithm: object) -> jwt.PyJWK:
        if algorithm not in self.issuer.algorithms:
            allowed = ", ".join(self.issuer.algorithms)
            raise Unauthenticated(f"the token is refused: its algorithm is not one of {allowed}")
        keys = self._keys.keys if isinstance(self._keys, RemoteKeys) else self._keys
        key = keys.get((key_id, str(algorithm)))
        if key is None:
            if isinstance(self._keys, RemoteKeys):
                self._keys.want()
            raise Unauthenticated("the token is refused: its key is not among its issuer's keys; try again in a minute")
        return key

    def _caller_of(self, claims: Mapping[str, object]) -> Caller:
        scopes = claims.get(self.issuer.scope_claim, "")
        names = scopes.split() if isinstance(scopes, str) else scopes if isinstance(scopes, list) else []
        # Names of keys have no colon, so a `sub` from an issuer can never equal the name of a key.
        return Caller(
            name=f"jwt:{claims['sub']}"[:NAME_CHARACTERS],
            scopes=_SCOPES.intersection(name for name in names if isinstance(name, str)),
            expires=float(str(claims["exp"])) + self.issuer.leeway_seconds,
        )


def tokens_of(issuer: Issuer, read: Callable[[str], bytes]) -> Tokens:
    """Makes the Tokens of an issuer. `read` returns the content of the key set's file. Raises AccessInvalid."""
    if issuer.jwks_url is not None:
        return Tokens(issuer, RemoteKeys(issuer.jwks_url, issuer.algorithms))
    name = str(issuer.jwks_file)
    return Tokens(issuer, parse_key_set(read(name), issuer.algorithms, name))
