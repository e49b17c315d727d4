"""Settings of access to a served model: API keys, token issuers and their scopes.

Pure: plain values in, settings or problems out. An ApiKey resource makes the keys; access_data.py makes the server's
access file.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from components.settings.api_key import ApiKeyInputs
from sealift.settings import Clash, Kind, Refused, kinds, setting

SCOPES: Final = ("predict", "metadata", "metrics")
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
KEY_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?")
KEY_NAMES: Final = "at most 32 of a-z, 0-9 and '-', with a letter or digit at both ends"
_KEY_SET_BYTES: Final = 256 * 1024
_AUDIENCES: Final = "a list of at least one non-empty text"


def _some_of(names: tuple[str, ...]) -> Kind[tuple[str, ...]]:
    allowed = f"a list of at least one of {', '.join(map(repr, names))}"

    def accept(value: object) -> tuple[str, ...]:
        if isinstance(value, list | tuple) and value and all(one in names for one in value):
            return tuple(dict.fromkeys(map(str, value)))
        raise Refused(f"allowed: {allowed}")

    return Kind("array", allowed, accept, "string")


def _time(value: object) -> str:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        moment = datetime.min
    if moment.tzinfo is None:
        raise Refused("allowed: a time with a time zone, such as '2027-01-01T00:00:00Z'")
    return moment.isoformat()


def _https(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"https://[^/ ]+[^ ]*", value):
        return value
    raise Refused("allowed: a URL that begins with https://")


def _key_set(value: object) -> str:
    try:
        found = json.loads(value) if isinstance(value, str) and len(value) <= _KEY_SET_BYTES else None
    except ValueError:
        found = None
    if isinstance(value, str) and isinstance(found, dict) and isinstance(found.get("keys"), list):
        return value
    raise Refused(f'allowed: a JSON Web Key Set, {{"keys": […]}}, as text of at most {_KEY_SET_BYTES} bytes')


def _audience(value: object) -> tuple[str, ...]:
    if isinstance(value, list | tuple) and value and all(isinstance(one, str) and one for one in value):
        return tuple(map(str, value))
    raise Refused(f"allowed: {_AUDIENCES}")


@dataclass(frozen=True)
class ClientKey(ApiKeyInputs):
    """API key of a served model. It is generated once and kept as a secret. It can be rotated while clients keep
    sending requests.
    """

    scopes: tuple[str, ...] = setting(_some_of(SCOPES), SCOPES, "Kinds of requests that the key allows.")
    expires: str | None = setting(
        Kind("string", "a time with a time zone", _time),
        None,
        "Time when the key stops working, such as 2027-01-01T00:00:00Z. If not set, it never expires.",
    )
    requests_per_second: float | None = setting(
        kinds.positive_number(1_000_000, "100"),
        None,
        "Average rate limit of the key, in requests per second. If not set, the rate is not limited.",
    )
    burst: int | None = setting(
        kinds.whole_number(1, 1_000_000),
        None,
        "Largest number of requests accepted at once. If not set, the number that `requestsPerSecond` allows in one "
        "second.",
    )
    revoked: bool = setting(
        kinds.boolean, False, "Whether the key is deleted. Requests with a deleted key get status 401."
    )

    def clashes(self) -> Iterator[Clash]:
        """Yields a clash for a burst without a rate."""
        if self.burst is not None and self.requests_per_second is None:
            message = f"is {self.burst}, but requestsPerSecond is not set; allowed only together with it"
            yield Clash("burst", message, ("requestsPerSecond",), "set requestsPerSecond too")


@dataclass(frozen=True)
class TokenIssuer:
    """Issuer of the JSON Web Tokens that the server accepts, and their audience."""

    issuer: str = setting(
        kinds.text,
        "",
        "Issuer of the tokens, such as https://login.example.com/. A token's `iss` claim must equal it exactly.",
        required=True,
    )
    audience: tuple[str, ...] = setting(
        Kind("array", _AUDIENCES, _audience, "string"),
        (),
        "Audiences that the server accepts. A token's `aud` claim must contain one of them.",
        required=True,
    )
    algorithms: tuple[str, ...] = setting(
        _some_of(ALGORITHMS), ("RS256", "ES256"), "Signature algorithms that the server accepts."
    )
    jwks_url: str | None = setting(
        Kind("string", "https://…", _https),
        None,
        "URL of the issuer's public keys (JSON Web Key Set). The server reads it every five minutes.",
    )
    jwks: str | None = setting(
        Kind("string", "a JSON Web Key Set", _key_set),
        None,
        "Public keys of the issuer (JSON Web Key Set), for servers that cannot reach a URL.",
    )
    scope_claim: str = setting(
        kinds.text,
        "scope",
        "Claim that lists the scopes of a token. Its value is a list, or text separated by spaces, such as "
        '"predict metrics".',
    )
    leeway_seconds: float = setting(
        kinds.number_within(0, 300), 30, "Allowed difference between the issuer's clock and the server's, in seconds."
    )

    def clashes(self) -> Iterator[Clash]:
        """Yields a clash unless exactly one source of public keys is set."""
        if (self.jwks_url is None) == (self.jwks is None):
            state = "is missing, and so is jwks" if self.jwks is None else "is set, and so is jwks"
            hint = "set jwksUrl, or set jwks if the server cannot reach a URL"
            yield Clash("jwksUrl", f"{state}; allowed: exactly one of them", ("jwks",), hint)
