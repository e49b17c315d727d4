"""Access files and issuers, as small as a test needs them. Tokens are made by joserfc, which our server has not."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import ECKey, Key, KeySet, OKPKey, RSAKey

KEY = b"sealift_" + b"k" * 43
NOW = datetime(2026, 6, 1, tzinfo=UTC).timestamp()
ISSUER = "https://login.example.com/"
AUDIENCE = "models"
CLAIMS = {"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "exp": 4_000_000_000, "scope": "openid predict"}


def digest(key: bytes) -> str:
    return sha256(key).hexdigest()


def api_key(key: bytes = KEY, name: str = "dashboard", **members: object) -> dict[str, object]:
    return {"name": name, "sha256": [digest(key)], "scopes": ["predict"], **members}


def written(folder: Path, access: object) -> Path:
    path = folder / "access.json"
    path.write_text(json.dumps(access))
    return path


def mount(folder: Path, **contents: str) -> None:
    """JSON files, by their names without the ending."""
    mount_files(folder, {f"{name}.json": content for name, content in contents.items()})


def mount_files(folder: Path, contents: Mapping[str, str]) -> None:
    """As the kubelet does (its atomic writer): a folder with the new files, then `..data` swung to it by a rename."""
    new = folder / f"..generation-{len(list(folder.iterdir()))}"
    new.mkdir()
    for name, content in contents.items():
        (new / name).write_text(content)
    (folder / "..data_tmp").symlink_to(new.name)
    (folder / "..data_tmp").rename(folder / "..data")
    for name in contents:
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(Path("..data") / name)


def rsa(key_id: str = "first") -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": key_id})


def ec(key_id: str = "first") -> ECKey:
    return ECKey.generate_key("P-256", {"kid": key_id})


def ed25519(key_id: str = "first") -> OKPKey:
    return OKPKey.generate_key("Ed25519", {"kid": key_id})


def key_set(*keys: Key) -> str:
    return json.dumps(KeySet(list(keys)).as_dict(private=False))


def issuer(*algorithms: str, **members: object) -> dict[str, object]:
    both = {"issuer": ISSUER, "audience": [AUDIENCE], "algorithms": list(algorithms)}
    return {"jwt": {**both, "jwksFile": "jwks.json", **members}}


def token(key: Key, algorithm: str, claims: dict[str, object] | None = None, **header: object) -> bytes:
    head = {"alg": algorithm, "kid": key.kid, **header}
    return jwt.encode(head, CLAIMS if claims is None else claims, key, algorithms=[algorithm]).encode()
