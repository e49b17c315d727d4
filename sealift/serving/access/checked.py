"""Callers by the digest of their credential, as in the access file, which is read again when it changes.

The look-up of a key by its SHA-256 in a dict takes about a microsecond, however many keys there are. Its duration may
depend on how many digits of the digest match. That does not help an attacker, who cannot choose the digest of a guess,
and a key has at least 128 random bits (access_file.py).
"""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sealift.serving.access.access_file import ACCESS_FILE_BYTES, AccessFile, KeyEntry, parse
from sealift.serving.access.caller import Caller
from sealift.serving.access.contract import Scope
from sealift.serving.access.rate_limit import RateLimit
from sealift.serving.access.watched import WatchedFiles
from sealift.serving.errors import AccessInvalid, Unauthenticated
from sealift.serving.log import log

if TYPE_CHECKING:
    from sealift.serving.access.tokens import Tokens

MAX_CREDENTIAL_BYTES: Final = 16 * 1024  # a token that lists a person's two hundred groups


@dataclass(frozen=True, slots=True)
class _Admitted:
    by_digest: dict[bytes, Caller]
    tokens: "Tokens | None"


class CheckedAccess:
    """Access by API key and by token."""

    def __init__(self, path: Path) -> None:
        """Reads the file. Raises AccessInvalid."""
        self._path = path
        self._files = WatchedFiles()
        self._admitted = self._read(self._files, _Admitted({}, None))

    def admit(self, credential: bytes | None, scope: Scope, now: float) -> str:
        """Returns the caller's name. Raises Unauthenticated, Forbidden and TooManyRequests."""
        if credential is None:
            raise Unauthenticated("this request needs a credential; send it as `Authorization: Bearer …`")
        if len(credential) > MAX_CREDENTIAL_BYTES:
            raise Unauthenticated(f"the credential exceeds the limit of {MAX_CREDENTIAL_BYTES} bytes")
        admitted = self._admitted
        digest = sha256(credential).digest()
        caller = admitted.by_digest.get(digest)
        if caller is None:
            if admitted.tokens is None or credential.count(b".") != 2:
                raise Unauthenticated("the key is not valid on this server; it may have been replaced by a new one")
            caller = admitted.tokens.caller(credential, digest)
        return caller.admit(scope, now)

    def refresh(self, now: float) -> None:
        """Loads a changed access file and an issuer's new keys. A broken file changes nothing and is logged once."""
        if self._files.have_changed():
            files = WatchedFiles()
            try:
                self._admitted = self._read(files, self._admitted)
                log("info", "access file read", keys=len(self._admitted.by_digest))
            except AccessInvalid as error:
                log("error", "access file not read, the previous one stays in effect", reason=str(error))
            self._files = files
        if self._admitted.tokens is not None:
            self._admitted.tokens.refresh(now)

    def _read(self, files: WatchedFiles, before: _Admitted) -> _Admitted:
        limits = {one.name: one.rate_limit for one in before.by_digest.values()}
        access = parse(files.read(self._path, ACCESS_FILE_BYTES), self._path)
        by_digest = {
            bytes.fromhex(digest): caller
            for key in access.keys
            for caller in [_caller(key, limits.get(key.name))]
            for digest in key.sha256
        }
        return _Admitted(by_digest, self._tokens(access, files, before.tokens))

    def _tokens(self, access: AccessFile, files: WatchedFiles, before: "Tokens | None") -> "Tokens | None":
        if access.jwt is None:
            return None
        if before is not None and before.issuer == access.jwt and access.jwt.jwks_url is not None:
            return before  # keeps the keys that it has fetched
        # Loading PyJWT and urllib takes a fifth of a second and some megabytes, which most servers do not need.
        from sealift.serving.access.key_set import KEY_SET_BYTES
        from sealift.serving.access.tokens import tokens_of

        return tokens_of(access.jwt, lambda name: files.read(self._path.parent / name, KEY_SET_BYTES))


def _caller(key: KeyEntry, before: RateLimit | None) -> Caller:
    limit = None
    if key.rate_limit is not None:
        limit = RateLimit(key.rate_limit.per_second, key.rate_limit.burst)
        if before is not None and (before.per_second, before.burst) == (limit.per_second, limit.burst):
            limit = before  # another key of the same name gives no second burst
    scopes = frozenset[str](key.scopes)
    if key.expires is None:
        return Caller(key.name, scopes, rate_limit=limit)
    return Caller(key.name, scopes, key.expires.timestamp(), limit)
