"""The access file of one server, which sealift/serving/access/access_file.py reads, from settings and digests.

Pure. The file contains no key, only digests of keys.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Final

from components.settings.access import ClientKey, TokenIssuer
from components.settings.server import ServerSettings
from sealift.serving import image_layout

KEY_SET_FILE: Final = "jwks.json"


def access_data(settings: ServerSettings, digests: Mapping[str, Sequence[str]]) -> dict[str, object]:
    """Returns the contents of the folder `access` by file name. `digests`: SHA-256 of the valid keys, by name."""
    keys = [_key(name, key, digests[name]) for name, key in settings.valid_api_keys.items()]
    access: dict[str, object] = {"keys": keys}
    files: dict[str, object] = {}
    if settings.jwt is not None:
        access["jwt"] = _issuer(settings.jwt)
        if settings.jwt.jwks is not None:
            files[KEY_SET_FILE] = settings.jwt.jwks
    return {image_layout.ACCESS_FILE: json.dumps(access, indent=1, sort_keys=True), **files}


def _key(name: str, key: ClientKey, digests: Sequence[str]) -> dict[str, object]:
    entry: dict[str, object] = {"name": name, "sha256": [*digests], "scopes": [*key.scopes]}
    if key.expires is not None:
        entry["expires"] = key.expires
    if key.requests_per_second is not None:
        burst = math.ceil(key.requests_per_second) if key.burst is None else key.burst
        entry["rateLimit"] = {"perSecond": key.requests_per_second, "burst": burst}
    return entry


def _issuer(issuer: TokenIssuer) -> dict[str, object]:
    place = {"jwksFile": KEY_SET_FILE} if issuer.jwks_url is None else {"jwksUrl": issuer.jwks_url}
    return {
        "issuer": issuer.issuer,
        "audience": [*issuer.audience],
        "algorithms": [*issuer.algorithms],
        "scopeClaim": issuer.scope_claim,
        "leewaySeconds": issuer.leeway_seconds,
        **place,
    }
