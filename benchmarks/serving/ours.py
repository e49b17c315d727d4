"""Our server as it is shipped: `python -m sealift.serving` on a sealed artifact, with everything switched on."""

import hashlib
import json
import secrets
import sys
from pathlib import Path

from benchmarks.serving.server import Program
from benchmarks.serving.work import FEATURES, MODEL
from sealift.sealing import RsaIdentity, seal


def program(folder: Path, model: bytes) -> Program:
    """Seals the model into the folder. Returns the program that serves it."""
    identity = RsaIdentity.generate()
    features = [f"x{number}" for number in range(FEATURES)]
    artifact = seal(model, {"task": "regression", "features": features, "classes": []}, [identity.recipient])
    payload, manifest, key = folder / "payload", folder / "manifest.json", folder / "private.pem"
    payload.write_bytes(artifact.payload)
    manifest.write_bytes(artifact.manifest)
    key.write_text(identity.pem)
    secret = f"sealift_{secrets.token_urlsafe(32)}"
    entry = {"name": "benchmark", "scopes": ["predict"], "sha256": [hashlib.sha256(secret.encode()).hexdigest()]}
    access = folder / "access.json"
    access.write_text(json.dumps({"keys": [entry]}))
    values = {
        "payload": str(payload), "manifest": str(manifest), "key": str(key), "artifact-id": artifact.artifact_id,
        "payload-digest": artifact.payload_digest, "name": MODEL, "access": str(access), "host": "127.0.0.1",
    }  # fmt: skip
    options = (word for name, value in values.items() for word in (f"--{name}", value))
    return Program(
        (sys.executable, "-m", "sealift.serving", *options, "--port"), headers={"Authorization": f"Bearer {secret}"}
    )
