"""No rotation drops a key that an artifact may need: absence of a store, or of its content, is no word of it."""

import asyncio
import itertools
from pathlib import Path
from typing import cast

import pytest

from components.plugin.sealing_key import SealingKeyResource
from sealift.provider import (
    CheckRequest,
    CreateRequest,
    DeleteRequest,
    DiffRequest,
    PluginError,
    Properties,
    ResourceLog,
    UpdateRequest,
    reveal,
)
from sealift.sealing import RsaIdentity, SealedArtifact, seal
from sealift.stores import delete_artifact, open_store, put_artifact
from tests.keys import key_pair

URN = "urn:pulumi:dev::project::sealift:index:SealingKey::key"


class Log:
    def __init__(self) -> None:
        self.lines: list[str] = []

    async def status(self, message: str) -> None: ...

    async def say(self, severity: str, message: str) -> None:
        self.lines.append(f"{severity}: {message}")


class Key:
    """A SealingKey as the engine keeps it, and what it has sealed."""

    def __init__(self, url: str | None, plugin: SealingKeyResource | None = None) -> None:
        self.log, plugin = Log(), plugin or SealingKeyResource()
        self.inputs: Properties = {"algorithm": "RSA-4096", "rotation": "", "storeUrl": url}
        common = {"urn": URN, "log": cast(ResourceLog, self.log), "cancelled": asyncio.Event()}
        self._common = common
        create = CreateRequest(inputs=self.inputs, **common)  # type: ignore[arg-type]
        made = asyncio.run(plugin.create(create))
        self.id, self.state = made.id, made.state

    def update(self, **news: str | None) -> None:
        inputs = {**self.inputs, **news}
        request = UpdateRequest(old_inputs=self.inputs, state=self.state, new_inputs=inputs, **self._common)  # type: ignore[arg-type]
        self.state, self.inputs = asyncio.run(SealingKeyResource().update(request)).state, inputs

    def delete(self, plugin: SealingKeyResource) -> None:
        request = DeleteRequest(id=self.id, inputs=self.inputs, state=self.state, **self._common)  # type: ignore[arg-type]
        asyncio.run(plugin.delete(request))

    @property
    def opening(self) -> list[str]:
        return cast(list[str], reveal(self.state["openingKeys"]))

    def seal_into(self, url: str) -> SealedArtifact:
        artifact = seal(b"model", {}, [RsaIdentity(self.opening[0]).recipient])
        put_artifact(open_store(url), artifact.artifact_id, artifact.payload, artifact.manifest)
        return artifact


@pytest.fixture(autouse=True)
def made_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """What makes key pairs hands out another shared one each time."""
    numbers = itertools.count()
    monkeypatch.setattr(RsaIdentity, "generate", staticmethod(lambda: key_pair(next(numbers))))


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"file://{tmp_path}/store"


def test_a_retired_key_goes_when_the_store_names_the_key_after_it_and_not_it(url: str) -> None:
    key = Key(url)
    kept = key.seal_into(url)
    first = key.opening[0]
    key.update(rotation="2027")
    key.seal_into(url)
    second = key.opening[0]

    key.update(rotation="2028")
    assert key.opening[1:] == [second, first], "the first one's artifact is kept"

    key.seal_into(url)
    delete_artifact(open_store(url), kept.artifact_id)
    third = key.opening[0]
    key.update(rotation="2029")
    assert key.opening[1:] == [third, second]


def test_a_rotation_keeps_all_keys_while_the_store_is_not_there_and_says_so(url: str, tmp_path: Path) -> None:
    key = Key(url)
    key.seal_into(url)
    key.update(rotation="2027")
    before = key.opening
    (tmp_path / "store").rename(tmp_path / "not mounted")

    key.update(rotation="2028")

    assert key.opening[1:] == before
    assert any("all retired keys are kept" in line and "does not exist" in line for line in key.log.lines)
    assert not (tmp_path / "store").exists()


def test_a_rotation_keeps_all_keys_while_an_empty_folder_is_where_the_store_was(url: str, tmp_path: Path) -> None:
    key = Key(url)
    key.seal_into(url)
    key.update(rotation="2027")
    before = key.opening
    (tmp_path / "store").rename(tmp_path / "not mounted")
    (tmp_path / "store").mkdir()

    key.update(rotation="2028")

    assert key.opening[1:] == before


@pytest.mark.parametrize("at_once", [True, False], ids=["with the rotation", "before it"])
def test_no_other_store_has_a_say_over_a_key(url: str, tmp_path: Path, at_once: bool) -> None:
    key = Key(url)
    key.seal_into(url)
    key.update(rotation="2027")
    moved = f"file://{tmp_path}/moved"
    if not at_once:
        key.update(storeUrl=moved)
    key.seal_into(moved)
    before = key.opening

    key.update(rotation="2028", storeUrl=moved)

    assert key.opening[1:] == before


def test_a_key_that_sealed_into_two_stores_is_kept(url: str, tmp_path: Path) -> None:
    key, other = Key(url), f"file://{tmp_path}/other"
    key.update(storeUrl=other)
    key.update(storeUrl=url)
    key.update(rotation="2027")
    key.seal_into(url)
    before = key.opening

    key.update(rotation="2028")

    assert key.opening[1:] == before


def test_a_key_of_an_older_state_may_have_sealed_anywhere_and_is_kept(url: str) -> None:
    key = Key(url)
    del key.state["keyStores"]
    key.update(rotation="2027")
    key.seal_into(url)
    before = key.opening

    key.update(rotation="2028")

    assert key.opening[1:] == before


def test_another_spelling_of_the_store_s_url_is_the_same_store(url: str, tmp_path: Path) -> None:
    key = Key(url)
    (tmp_path / "link").symlink_to(tmp_path / "store")
    key.update(storeUrl=f"file://{tmp_path}/link")
    key.update(rotation="2027")
    key.seal_into(url)
    second = key.opening[0]

    key.update(rotation="2028")

    assert key.opening[1:] == [second]


def test_a_manifest_that_cannot_be_read_keeps_all_keys(url: str, tmp_path: Path) -> None:
    key = Key(url)
    key.update(rotation="2027")
    key.seal_into(url)
    (tmp_path / "store" / "manifests" / ("ab" * 16)).write_bytes(b"{")
    before = key.opening

    key.update(rotation="2028")

    assert key.opening[1:] == before


def test_a_key_that_kept_artifacts_need_is_not_deleted_for_another(url: str) -> None:
    key, plugin = Key(url), SealingKeyResource()
    kept = key.seal_into(url)
    Key(url, plugin).seal_into(url)

    with pytest.raises(PluginError, match=kept.artifact_id) as refused:
        key.delete(plugin)

    assert "pulumi.Alias(name=" in refused.value.hint


def test_nor_is_it_by_a_later_process(url: str) -> None:
    key = Key(url)
    key.seal_into(url)
    other, plugin = Key(url), SealingKeyResource()
    plugin.diff(DiffRequest(other.inputs, other.inputs, other.id))

    with pytest.raises(PluginError, match="only this key opens"):
        key.delete(plugin)


def test_nor_is_one_whose_store_is_not_there(url: str, tmp_path: Path) -> None:
    key, plugin = Key(url), SealingKeyResource()
    key.seal_into(url)
    (tmp_path / "store").rename(tmp_path / "not mounted")
    Key(url, plugin)

    with pytest.raises(PluginError, match="does not exist"):
        key.delete(plugin)


def test_nor_is_one_that_artifacts_of_a_store_before_need(url: str, tmp_path: Path) -> None:
    key, plugin = Key(url), SealingKeyResource()
    kept = key.seal_into(url)
    (tmp_path / "moved").mkdir()
    key.update(storeUrl=f"file://{tmp_path}/moved")
    Key(f"file://{tmp_path}/moved", plugin)

    with pytest.raises(PluginError, match=kept.artifact_id):
        key.delete(plugin)


def test_a_key_that_nothing_needs_is_replaced(url: str) -> None:
    key, plugin = Key(url), SealingKeyResource()
    artifact = key.seal_into(url)
    both = seal(b"model", {}, [RsaIdentity(key.opening[0]).recipient, key_pair(5).recipient])
    put_artifact(open_store(url), both.artifact_id, both.payload, both.manifest)
    delete_artifact(open_store(url), artifact.artifact_id)
    Key(url, plugin)

    key.delete(plugin)

    assert key.log.lines == []


def test_a_stack_that_is_destroyed_is_told_what_only_its_key_opens(url: str) -> None:
    key = Key(url)
    kept = key.seal_into(url)

    key.delete(SealingKeyResource())

    assert [line for line in key.log.lines if kept.artifact_id in line and line.startswith("warning")] != []


def test_the_preview_of_a_second_key_for_a_store_names_the_alias(url: str) -> None:
    key, log = Key(url), Log()
    preview = CreateRequest(
        urn=URN, log=cast(ResourceLog, log), cancelled=asyncio.Event(), preview=True, inputs=key.inputs
    )
    asyncio.run(SealingKeyResource().create(preview))
    assert log.lines == [], "a store of nobody has nothing to lose"

    key.seal_into(url)
    asyncio.run(SealingKeyResource().create(preview))

    assert "the store has 1 artifact of other stacks," in log.lines[0] and "pulumi.Alias(name=" in log.lines[0]


def test_a_rotation_that_arrives_as_a_number_is_its_text() -> None:
    checked = asyncio.run(SealingKeyResource().check(CheckRequest(URN, {}, {"rotation": 2027.0})))

    assert checked.failures == []
    assert checked.inputs["rotation"] == "2027"
