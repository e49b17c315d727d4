"""Runs of the official plugin, recorded against a real cluster; kept beside the repository, not in it."""

import json
from pathlib import Path
from typing import Any, Final

import pytest
from pulumi.runtime import rpc

from sealift.provider.values import SECRET_SIGNATURE, SIGNATURE_KEY, UNKNOWN

RECORDINGS: Final = Path(__file__).resolve().parents[4] / "shared" / "official"
CHANGES: Final = ("configmap", "image", "quota", "replicas", "secret", "selector")
KEY: Final = {"key.pem": "aHVzaA=="}
"""What the recorded Secret held; its recording is blanked."""

needs_recordings = pytest.mark.skipif(
    not RECORDINGS.is_dir(), reason="the recordings of the official plugin are not beside this checkout"
)


def load(name: str) -> Any:
    return json.loads((RECORDINGS / name).read_text())


def state() -> dict[str, dict[str, Any]]:
    """The Kubernetes resources after the first `up`: inputs and outputs by urn, the Secret's content filled in."""
    resources = load("01-create.state.json")["deployment"]["resources"]
    return {r["urn"]: _filled(r) for r in resources if r["type"].startswith("kubernetes:")}


def steps(change: str) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """What a preview of `change` did to Kubernetes resources that were there before: per urn the inputs that it
    compared with the state, and the recorded step. A replaced resource is compared under its old name: its new one
    comes after.
    """
    before = state()
    found = {}
    for step in load(f"03-{change}.preview.json")["steps"]:
        urn = step["urn"]
        if urn not in before or "newState" not in step:
            continue
        inputs = _filled(step["newState"])["inputs"]
        inputs["metadata"]["name"] = before[urn]["inputs"]["metadata"]["name"]
        if change == "secret" and inputs["kind"] == "Secret":
            inputs["data"] = {"key.pem": "aHVzaDI="}
        found[urn] = (inputs, step)
    return found


def _filled(value: Any) -> Any:
    if isinstance(value, list):
        return [_filled(item) for item in value]
    if value == rpc.UNKNOWN:
        return UNKNOWN
    if value == "[secret]" or (isinstance(value, dict) and value.get(SIGNATURE_KEY) == SECRET_SIGNATURE):
        return dict(KEY)
    return {key: _filled(item) for key, item in value.items()} if isinstance(value, dict) else value
