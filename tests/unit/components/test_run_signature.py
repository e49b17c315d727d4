"""The signature of a stack's artifact is made with its own key, or looked up where `sealift sign` puts it."""

import asyncio
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.run_signature import run_signature
from sealift.sealing import seal
from sealift.stores import SIGNATURES, open_store, put_artifact, put_signature
from tests.keys import key_pair
from tests.unit.components.test_model_deployment import event_loop

__all__ = ["event_loop"]


def looked_up(url: str, artifact_id: str) -> Any:
    async def program() -> Any:
        found = run_signature(
            "model", store_url=url, artifact_id=artifact_id, payload_digest="cd" * 32, signing_key=None, required=True
        )
        assert isinstance(found, pulumi.Output)
        return await found.future()

    return asyncio.get_event_loop().run_until_complete(program())


def test_nothing_is_looked_up_unless_it_is_required() -> None:
    place: dict[str, Any] = {"store_url": "file:///nowhere", "artifact_id": "ab" * 16, "payload_digest": "cd" * 32}

    assert run_signature("model", **place, signing_key=None, required=False) is None


def test_a_required_signature_is_looked_up_in_the_store(tmp_path: Path) -> None:
    url, artifact = f"file://{tmp_path}/store", seal(b"model", {}, [key_pair().recipient])
    store = open_store(url)
    put_artifact(store, artifact.artifact_id, artifact.payload, artifact.manifest)
    assert looked_up(url, artifact.artifact_id) is None

    put_signature(store, artifact.artifact_id, b"signature")
    assert looked_up(url, artifact.artifact_id) == "signature"


def test_a_store_that_cannot_be_read_is_said_with_the_artifact(tmp_path: Path) -> None:
    (tmp_path / "store" / SIGNATURES).parent.mkdir()
    (tmp_path / "store" / SIGNATURES).write_text("a file")

    with pytest.raises(pulumi.RunError, match=f"the signature of artifact {'ab' * 16} cannot be read"):
        looked_up(f"file://{tmp_path}/store", "ab" * 16)
