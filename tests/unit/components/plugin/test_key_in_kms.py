"""A SealingKey whose private key is in a KMS, a real OpenBao: the state holds its address, and nothing is lost. A
TrainingRun then tells its artifact's data key, and asks the KMS for it once.
"""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from components.plugin.sealing_key import SealingKeyResource
from sealift.provider import (
    UNKNOWN,
    CheckRequest,
    CreateRequest,
    DeleteRequest,
    Properties,
    ResourceLog,
    Secret,
    UpdateRequest,
    reveal,
)
from sealift.sealing import (
    KeyUnavailable,
    RsaIdentity,
    data_key_text,
    describe,
    parse_identity,
    parse_recipient,
    seal,
    unwrap,
)
from sealift.stores import open_store, put_artifact
from tests.keys import key_pair
from tests.openbao import OpenBao
from tests.unit.components.plugin.test_judged_again import Deployed

URN = "urn:pulumi:dev::project::sealift:index:SealingKey::key"


@pytest.fixture(autouse=True)
def made_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key pair is the shared one."""
    monkeypatch.setattr(RsaIdentity, "generate", staticmethod(key_pair))


class Log:
    def __init__(self) -> None:
        self.lines: list[str] = []

    async def status(self, message: str) -> None: ...

    async def say(self, severity: str, message: str) -> None:
        self.lines.append(f"{severity}: {message}")


class Key:
    """A SealingKey as the engine keeps it."""

    def __init__(self, **inputs: str) -> None:
        self.log, self.inputs = Log(), self._checked({}, inputs)
        self._common = {"urn": URN, "log": cast(ResourceLog, self.log), "cancelled": asyncio.Event()}
        made = asyncio.run(SealingKeyResource().create(CreateRequest(inputs=self.inputs, **self._common)))  # type: ignore[arg-type]
        self.id, self.state = made.id, made.state

    def _checked(self, olds: Properties, news: dict[str, str]) -> Properties:
        checked = asyncio.run(SealingKeyResource().check(CheckRequest(URN, olds, {**news})))
        assert checked.failures == []
        return checked.inputs

    def update(self, **news: str) -> None:
        inputs = self._checked(self.inputs, news)
        request = UpdateRequest(old_inputs=self.inputs, state=self.state, new_inputs=inputs, **self._common)  # type: ignore[arg-type]
        self.state, self.inputs = asyncio.run(SealingKeyResource().update(request)).state, inputs

    def preview(self, **news: str) -> list[str]:
        """Returns what a preview of an update says."""
        inputs = self._checked(self.inputs, news)
        request = UpdateRequest(
            old_inputs=self.inputs,
            state=self.state,
            new_inputs=inputs,
            preview=True,
            **self._common,  # type: ignore[arg-type]
        )
        asyncio.run(SealingKeyResource().update(request))
        return self.log.lines

    def delete(self, plugin: SealingKeyResource) -> None:
        request = DeleteRequest(id=self.id, inputs=self.inputs, state=self.state, **self._common)  # type: ignore[arg-type]
        asyncio.run(plugin.delete(request))

    def seal_into(self, url: str) -> bytes:
        artifact = seal(b"model", {"a": 1}, [parse_recipient(str(self.state["publicKey"]))])
        put_artifact(open_store(url), artifact.artifact_id, artifact.payload, artifact.manifest)
        return artifact.manifest

    @property
    def opening(self) -> list[str]:
        return cast(list[str], reveal(self.state["openingKeys"]))


def refusal_of(**inputs: str) -> str:
    checked = asyncio.run(SealingKeyResource().check(CheckRequest(URN, {}, {**inputs})))
    [failure] = checked.failures
    assert failure.property == "key"
    return failure.reason


def test_the_state_has_the_key_s_address_and_public_key(bao: OpenBao, tmp_path: Path) -> None:
    name = bao.make_key()

    key = Key(key=f"hashivault://{name}")

    assert reveal(key.state["privateKey"]) == f"hashivault://{name}?version=1"
    assert key.opening == [f"hashivault://{name}?version=1"]
    assert "PRIVATE" not in repr(reveal_everything(key.state))
    manifest = key.seal_into(f"file://{tmp_path}/store")
    assert describe(manifest, parse_identity(key.opening[0])) == {"a": 1}


def reveal_everything(state: Properties) -> Properties:
    return {name: value.value if isinstance(value, Secret) else value for name, value in state.items()}


def test_the_newest_version_comes_with_a_rotation_alone(bao: OpenBao) -> None:
    name = bao.make_key()
    address = f"hashivault://{name}"
    key = Key(key=address)
    bao.client.secrets.transit.rotate_key(name)

    key.update(key=address, storeUrl="file:///elsewhere")
    assert key.opening == [f"{address}?version=1"]
    key.update(key=address, rotation="2027")
    assert key.opening == [f"{address}?version=2", f"{address}?version=1"]
    key.update(key=address, rotation="2028")
    assert key.opening == [f"{address}?version=2", f"{address}?version=1"], "no version stands there twice"


def test_a_stack_moves_its_key_into_a_kms_and_then_forgets_its_own(bao: OpenBao, tmp_path: Path) -> None:
    url, address = f"file://{tmp_path}/store", f"hashivault://{bao.make_key()}"
    key = Key(storeUrl=url)
    own = key.opening[0]

    key.update(storeUrl=url, key=address)
    assert key.opening == [f"{address}?version=1", own], "artifacts are sealed to the own key until they are wrapped"
    key.seal_into(url)  # as the run does that wraps its artifact for the new key
    key.update(storeUrl=url, key=address, rotation="2027")

    assert key.opening == [f"{address}?version=1"]
    assert "PRIVATE" not in repr(reveal_everything(key.state))


def test_a_stack_takes_a_key_pair_of_its_own_again(bao: OpenBao) -> None:
    address = f"hashivault://{bao.make_key()}"
    key = Key(key=address)

    key.update()

    assert key.opening == [key_pair().pem, f"{address}?version=1"]


def test_a_preview_warns_that_the_kms_which_the_update_needs_is_gone(
    bao: OpenBao, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"hashivault://{bao.make_key()}"
    key = Key(key=address)
    assert key.preview() == []

    monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.1:1")
    [warning] = key.preview()

    assert warning.startswith(f"warning: the update will wrap the artifacts' keys with the current key {address}")
    assert "cannot be reached" in warning


def test_a_destroyed_stack_takes_no_key_from_a_kms(bao: OpenBao, tmp_path: Path) -> None:
    url = f"file://{tmp_path}/store"
    key = Key(key=f"hashivault://{bao.make_key()}", storeUrl=url)
    key.seal_into(url)

    key.delete(SealingKeyResource())

    assert key.log.lines == []


def test_a_preview_says_what_is_wrong_with_a_key(bao: OpenBao, monkeypatch: pytest.MonkeyPatch) -> None:
    small = bao.make_key("rsa-2048")
    assert "is not an RSA key of 4096 bits" in refusal_of(key=f"hashivault://{small}")
    assert "has no key hashivault://missing" in refusal_of(key="hashivault://missing")
    name = bao.make_key()
    monkeypatch.setenv("VAULT_TOKEN", bao.make_token('path "transit/keys/*" {capabilities=["read"]}'))
    assert f"denies the key hashivault://{name}" in refusal_of(key=f"hashivault://{name}"), "it may not decrypt"
    monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.1:1")
    assert "cannot be reached" in refusal_of(key=f"hashivault://{name}")


def test_a_key_in_plain_text_is_refused_and_not_quoted() -> None:
    reason = refusal_of(key=key_pair().pem)

    assert "hashivault://" in reason and "PRIVATE" not in reason


def test_a_kms_that_is_gone_stops_neither_other_changes_nor_a_destroy(
    bao: OpenBao, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    address = f"hashivault://{bao.make_key()}"
    key = Key(key=address, storeUrl=f"file://{tmp_path}/a")
    key.seal_into(f"file://{tmp_path}/a")
    monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.1:1")

    key.update(key=address, storeUrl=f"file://{tmp_path}/b")
    key.delete(SealingKeyResource())

    with pytest.raises(AssertionError, match="cannot be reached"):
        key.update(key=address, rotation="2027")


@pytest.fixture
def deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deployed:
    """A run of a stack with a key pair of its own."""
    return Deployed(tmp_path, monkeypatch)


def run_with(key: Key) -> dict[str, Any]:
    """The inputs of a run after the stack's key has moved into a KMS, with a recovery key."""
    return {
        "recipients": [str(key.state["publicKey"]), key_pair().recipient.pem],
        "openingKeys": Secret([*key.opening, key_pair().pem]),
    }


def test_a_run_tells_its_data_key_as_soon_as_its_key_is_in_a_kms(bao: OpenBao, deployed: Deployed) -> None:
    assert deployed.state["dataKey"] is None
    moved = run_with(Key(key=f"hashivault://{bao.make_key()}"))

    assert reveal(deployed.update(preview=True, **moved)["dataKey"]) is UNKNOWN
    after = deployed.update(**moved)

    told = data_key_text(unwrap(str(after["manifest"]).encode(), [key_pair()]))
    assert isinstance(after["dataKey"], Secret) and reveal(after["dataKey"]) == told
    assert deployed.trainer.trained == 1


def test_a_known_data_key_needs_no_kms(bao: OpenBao, deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    moved = run_with(Key(key=f"hashivault://{bao.make_key()}"))
    deployed.state = deployed.update(**moved)
    deployed.inputs = deployed.checked(**moved)
    monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.1:1")

    for preview, changed in (
        (True, {"retention": "keep"}),
        (False, {"retention": "keep"}),
        (True, {"modelCard": {"contact": "ada@example.org"}}),
    ):
        after = deployed.update(preview=preview, **moved, **changed)
        assert reveal(after["dataKey"]) == reveal(deployed.state["dataKey"]) is not None
    assert reveal(deployed.update(preview=True, seed=3, **moved)["dataKey"]) is UNKNOWN
    with pytest.raises(KeyUnavailable, match="cannot be reached"):
        deployed.update(seed=3, **moved)
