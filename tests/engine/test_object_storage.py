"""On the real engine: a store in object storage holds what a local one does, and looks the same from everywhere."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sealift.sealing import RsaIdentity, open_artifact
from sealift.stores import RECORDS, Store, artifact_ids, get_manifest, get_payload, open_store
from sealift.stores.store import LEASES
from tests.object_store import ObjectStore
from tests.stack import Stack

MakeStack = Callable[..., Stack]


@pytest.fixture
def url(object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in object_store.variables.items():
        monkeypatch.setenv(name, value)
    return f"{object_store.url}/engine-{id(monkeypatch):x}"


@pytest.fixture
def store(url: str) -> Store:
    return open_store(url)


@pytest.fixture
def stack(training_stack: MakeStack, url: str) -> Stack:
    stack = training_stack(epochs=2)
    stack.set_config("storeUrl", url)
    return stack


def test_a_model_is_trained_rotated_resealed_and_destroyed(stack: Stack, store: Store) -> None:
    stack.up().ok()
    stack.up("--expect-no-changes").ok()
    assert "lost" not in stack.refresh().ok().text
    for name in ("rotation", "reseal"):
        stack.set_config(name, "2027")
        assert "epoch " not in stack.up().ok().text

    outputs = stack.outputs(secrets=True)
    artifact_id = outputs["artifact_id"]
    key = RsaIdentity(outputs["opening_keys"][0])
    opened = open_artifact(
        get_manifest(store, artifact_id), get_payload(store, artifact_id), key,
        artifact_id=artifact_id, payload_digest=outputs["payload_digest"],
    )  # fmt: skip
    assert opened.description["task"] == "regression"
    assert len(artifact_ids(store)) == 2, "the model and its report"
    stack.destroy().ok()
    assert (artifact_ids(store), store.names(RECORDS), store.names(LEASES)) == ([], [], [])


def test_another_checkout_of_the_stack_previews_no_change(stack: Stack, tmp_path: Path) -> None:
    stack.up().ok()
    exported = stack.run("stack", "export", "--stack", stack.name).ok().text

    elsewhere = tmp_path / "a" / "second checkout"
    elsewhere.mkdir(parents=True)
    other = Stack(elsewhere / "program", name="dev", home=elsewhere)
    shutil.copytree(stack.folder, other.folder)
    shutil.copytree(stack.home / "state", elsewhere / "state")
    named = ["unshare", "--uts", "sh", "-c", 'hostname another-machine && exec "$@"', "sh"]
    command = ["pulumi", "--non-interactive", "--color", "never", "preview", "--stack", "dev", "--expect-no-changes"]
    may_name = subprocess.run([*named, "true"], capture_output=True).returncode == 0
    previewed = subprocess.run(
        [*(named if may_name else []), *command],
        cwd=other.folder, env=other.full_environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert previewed.returncode == 0, previewed.stdout + previewed.stderr
    assert json.loads(exported[exported.index("{") :])["deployment"]["resources"]


def test_two_stacks_at_once_in_one_bucket_do_not_disturb_each_other(
    training_stack: MakeStack, stack: Stack, store: Store, tmp_path: Path
) -> None:
    second = Stack(tmp_path / "second", name="dev", home=tmp_path / "other")
    second.home.mkdir()
    shutil.copytree(stack.folder, second.folder)
    second.init()
    started = [one.start("up", "--yes", "--skip-preview", "--stack", "dev") for one in (stack, second)]

    said = [process.communicate(timeout=300)[0] for process in started]

    assert [process.returncode for process in started] == [0, 0], said
    ids = [one.outputs()["artifact_id"] for one in (stack, second)]
    assert ids[0] != ids[1] and {*ids} < {*artifact_ids(store)} and len(artifact_ids(store)) == 4


def test_a_store_that_cannot_be_reached_is_an_error_before_anything_is_trained(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")

    said = stack.preview().failed().text

    assert "SignatureDoesNotMatch" in said and "hint" in said and "wrong" not in said
