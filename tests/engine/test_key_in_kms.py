"""On the real engine: a stack whose private key is in a KMS (a real OpenBao) has no private key in its state."""

from collections.abc import Callable

import pytest

from sealift.sealing import describe, is_authentic, parse_identity, parse_key
from tests.openbao import OpenBao
from tests.stack import Stack

MakeStack = Callable[..., Stack]


def state_of(stack: Stack) -> str:
    return stack.run("stack", "export", "--show-secrets", "--stack", stack.name).ok().text


def test_a_stack_with_a_key_in_a_kms_has_no_private_key(
    bao: OpenBao, training_stack: MakeStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = bao.make_key()
    stack = training_stack(epochs=2)
    stack.set_config("key", f"hashivault://{name}")

    stack.up().ok()

    assert "PRIVATE KEY" not in state_of(stack)
    outputs = stack.outputs(secrets=True)
    assert outputs["opening_keys"] == [f"hashivault://{name}?version=1"]
    identity = parse_identity(outputs["opening_keys"][0])
    assert describe(outputs["manifest"].encode(), identity)["task"] == "regression"
    data_key = parse_key(outputs["data_key"])
    assert isinstance(data_key, bytes) and is_authentic(outputs["manifest"].encode(), data_key)
    with monkeypatch.context() as gone:
        gone.setenv("VAULT_ADDR", "http://127.0.0.1:1")
        stack.preview("--expect-no-changes").ok()
        stack.up("--expect-no-changes").ok()
    stack.up("--expect-no-changes").ok()
    assert "lost" not in stack.refresh().ok().text

    bao.client.secrets.transit.rotate_key(name)
    stack.up("--expect-no-changes").ok()
    stack.set_config("rotation", "2027")
    assert "epoch " not in stack.up().ok().text, "the newest version wraps the artifact's key, and nothing is trained"
    after = stack.outputs(secrets=True)
    assert after["opening_keys"][0] == f"hashivault://{name}?version=2"
    assert after["artifact_id"] == outputs["artifact_id"]
    assert describe(after["manifest"].encode(), parse_identity(after["opening_keys"][0]))["task"] == "regression"
    assert bao.root_token not in state_of(stack)


def test_a_stack_moves_its_key_into_a_kms(bao: OpenBao, training_stack: MakeStack) -> None:
    stack = training_stack(epochs=2)
    stack.up().ok()
    before = stack.outputs()

    stack.set_config("key", f"hashivault://{bao.make_key()}")
    assert "without training" in stack.preview().ok().text
    stack.up().ok()
    assert stack.outputs()["artifact_id"] == before["artifact_id"]
    stack.set_config("rotation", "2027")
    stack.up().ok()

    assert "PRIVATE KEY" not in state_of(stack)
    stack.destroy().ok()


def test_a_preview_says_that_the_kms_is_not_there(
    bao: OpenBao, training_stack: MakeStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = training_stack(epochs=2)
    stack.set_config("key", "hashivault://missing")
    assert "has no key hashivault://missing" in " ".join(stack.preview().failed().text.split())
    monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.1:1")

    said = stack.preview().failed().text

    assert "Vault at 127.0.0.1:1 cannot be reached" in " ".join(said.split()) and "VAULT_ADDR" in said
    assert bao.root_token not in said
