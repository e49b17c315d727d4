"""The access file, which lists who has access. It is JSON, mounted from a Secret, and contains only digests of keys.

    {
      "keys": [
        {
          "name": "dashboard",
          "sha256": ["<64 hex digits>", "<of the previous key, until its rotation is over>"],
          "scopes": ["predict", "metadata", "metrics"],
          "expires": "2027-01-01T00:00:00Z",
          "rateLimit": {"perSecond": 100, "burst": 200}
        }
      ],
      "jwt": {
        "issuer": "https://login.example.com/",
        "audience": ["models"],
        "algorithms": ["RS256"],
        "jwksUrl": "https://login.example.com/.well-known/jwks.json",
        "scopeClaim": "scope",
        "leewaySeconds": 30
      }
    }

At least one of `keys` and `jwt` is required. `expires` and `rateLimit` are optional. Instead of `jwksUrl`, `jwksFile`
names a file beside this one. The last two values of `jwt` above are the defaults.

A key is a text that cannot be guessed, such as `sealift_` and 32 random bytes in base64url. The prefix helps scanners
that search code and logs for secrets. For at least 128 random bits, a single SHA-256 is as safe as any slow hash: slow
hashes make guessing of passwords expensive, and random bits cannot be guessed at all.
"""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal

from msgspec import DecodeError, Meta, Struct, field
from msgspec.json import Decoder

from sealift.serving.access.contract import Scope
from sealift.serving.errors import AccessInvalid

Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"
]  # fmt: skip
"""Algorithms of signatures. Only those with a public key: a server that can check an HMAC can also make one."""

Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Name = Annotated[str, Meta(pattern="^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
Text = Annotated[str, Meta(min_length=1)]

ACCESS_FILE_BYTES: Final = 1024 * 1024  # a Secret's limit


class Rate(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """`burst` requests at once, `per_second` on average."""

    per_second: Annotated[float, Meta(gt=0, le=1e6)]
    burst: Annotated[int, Meta(ge=1, le=1_000_000)]


class KeyEntry(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One caller and the digests of all its keys."""

    name: Name
    sha256: Annotated[list[Sha256], Meta(min_length=1, max_length=8)]
    scopes: Annotated[list[Scope], Meta(min_length=1)]
    expires: Annotated[datetime, Meta(tz=True)] | None = None
    rate_limit: Rate | None = None


class Issuer(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The accepted issuer of tokens, and the audience that tokens must have."""

    issuer: Text
    audience: Annotated[list[Text], Meta(min_length=1)]
    algorithms: Annotated[list[Algorithm], Meta(min_length=1)]
    jwks_file: Annotated[str, Meta(pattern="^[A-Za-z0-9_-][A-Za-z0-9._-]*$")] | None = None
    jwks_url: Annotated[str, Meta(pattern="^https://[^/ ]+[^ ]*$")] | None = None
    scope_claim: Text = "scope"
    leeway_seconds: Annotated[float, Meta(ge=0, le=300)] = 30


class AccessFile(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The whole access file."""

    keys: list[KeyEntry] = field(default_factory=list)
    jwt: Issuer | None = None


_DECODER: Final = Decoder(AccessFile)


def parse(content: bytes, path: Path) -> AccessFile:
    """Parses an access file. Raises AccessInvalid, whose message shows no values except scopes and algorithms."""
    try:
        access = _DECODER.decode(content)
    except DecodeError as error:
        raise AccessInvalid(f"{path} is not an access file: {error}") from None
    for problem in _problems(access):
        raise AccessInvalid(f"{path} is not an access file: {problem}")
    return access


def _problems(access: AccessFile) -> list[str]:
    problems = []
    if not access.keys and access.jwt is None:
        problems.append("it has neither `keys` nor `jwt`, so no client would have access")
    names = [key.name for key in access.keys]
    problems += [f"`keys` has {name!r} more than once" for name in sorted({*names}) if names.count(name) > 1]
    digests = [digest for key in access.keys for digest in key.sha256]
    if len({*digests}) < len(digests):
        problems.append("`keys` has the same `sha256` more than once")
    if access.jwt is not None and (access.jwt.jwks_file is None) == (access.jwt.jwks_url is None):
        problems.append("`jwt` needs exactly one of `jwksFile` and `jwksUrl`")
    return problems
