"""Opening: what is refused and why, and what is left of the plain model and its key."""

import gc
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sealift.sealing import data_key_text, parse_identity, parse_recipient, seal, unwrap
from sealift.sealing.recipients import parse
from sealift.serving.errors import StartError
from sealift.serving.model import Model
from sealift.serving.model import load as load_opened
from sealift.serving.opening import Opening, Source
from sealift.serving.tensor import ANY, Tensor
from tests.kept_elsewhere import KEPT_ELSEWHERE
from tests.keys import key_pair
from tests.unit.serving.tiny import DESCRIPTION, Files, onnx_model, sealed


def load(source: Source) -> Model:
    with Opening(source) as opening:
        return load_opened(opening)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    files = Files.write(tmp_path)
    return Source(files.payload, files.manifest, files.key, sealed().artifact_id, sealed().payload_digest)


def test_a_sealed_model_answers_and_says_what_clients_may_know(source: Source) -> None:
    model = load(source)

    answer = model.run({"input": np.array([[1, 2, 3], [4, 5, 6]], np.float32)}, ["prediction"])
    assert answer["prediction"].tolist() == [[321], [654]]
    assert model.inputs == {"input": Tensor("input", (ANY, 3))}
    assert model.outputs == {"prediction": Tensor("prediction", (ANY, 1))}
    assert (model.description.task, model.description.features) == ("regression", ("age", "bmi", "sex"))


def test_outside_a_pod_nothing_is_to_be_mounted(source: Source, tmp_path: Path) -> None:
    source = replace(source, store=tmp_path)
    for named, said in (
        (replace(source, payload=tmp_path / "none"), f"the store {tmp_path} has no artifact {source.artifact_id}; "),
        (replace(source, key=tmp_path / "none"), f"the file {tmp_path}/none does not exist; "),
    ):
        with pytest.raises(StartError) as raised:
            load(named)
        assert said in str(raised.value)
        assert "mount" not in str(raised.value)


def test_a_key_that_is_kept_elsewhere_opens_by_its_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parse, "KINDS", [*parse.KINDS, KEPT_ELSEWHERE])
    artifact = seal(onnx_model(), DESCRIPTION, [parse_recipient("test-kms://keys/one")])
    files = Files.write(tmp_path, artifact)
    files.key.write_text("test-kms://keys/one\n")

    model = load(Source(files.payload, files.manifest, files.key, artifact.artifact_id, artifact.payload_digest))

    assert model.inputs == {"input": Tensor("input", (ANY, 3))}


def test_the_artifact_s_own_data_key_opens_it(source: Source) -> None:
    """As a server gets it if the private key is in a KMS."""
    identity = parse_identity(source.key.read_text())
    source.key.write_text(data_key_text(unwrap(source.manifest.read_bytes(), [identity])))
    assert load(source).inputs == {"input": Tensor("input", (ANY, 3))}

    source.key.write_text(data_key_text(bytes(32)))
    with pytest.raises(StartError, match="the manifest differs"):
        load(source)


def test_the_plain_model_is_zeroed_and_nobody_holds_a_copy(source: Source) -> None:
    with Opening(source) as opening:
        model = load_opened(opening)
        assert b"tiny-graph" in bytes(opening._memory)

    assert not any(bytes(opening._memory))
    gc.collect()
    copies = [value for value in vars(model._session).values() if isinstance(value, bytes) and b"tiny-graph" in value]
    assert copies == []


def test_the_plain_model_is_zeroed_though_it_cannot_be_served(source: Source, tmp_path: Path) -> None:
    artifact = seal(b"not ONNX, but secret", DESCRIPTION, [key_pair().recipient])
    files = Files.write(tmp_path, artifact)
    other = Source(files.payload, files.manifest, files.key, artifact.artifact_id, artifact.payload_digest)

    with Opening(other) as opening, pytest.raises(StartError, match=r"does not contain an ONNX model: .*; train"):
        load_opened(opening)
    assert not any(bytes(opening._memory))


def test_a_model_larger_than_one_piece_is_zeroed_to_its_end(tmp_path: Path) -> None:
    artifact = seal(b"x" * ((1 << 20) * 2 + 3), DESCRIPTION, [key_pair().recipient])
    files = Files.write(tmp_path, artifact)
    with Opening(
        Source(files.payload, files.manifest, files.key, artifact.artifact_id, artifact.payload_digest)
    ) as opening:
        plain, description = opening.result()
        assert (bytes(plain[-3:]), description) == (b"xxx", DESCRIPTION)

    assert not any(bytes(opening._memory))


def test_who_goes_on_without_it_leaves_no_process(source: Source) -> None:
    source.manifest.unlink()
    os.mkfifo(source.manifest)  # its opening waits for a writer
    with Opening(source) as opening:
        child = opening._child
        assert child

    with pytest.raises(ChildProcessError):
        os.waitpid(child, os.WNOHANG)


def test_a_process_that_is_killed_is_told_to_be_that(source: Source) -> None:
    source.manifest.unlink()
    os.mkfifo(source.manifest)
    with Opening(source) as opening:
        os.kill(opening._child, 9)
        with pytest.raises(StartError, match="the process that opens the artifact ended with -9; check that it"):
            opening.result()


@pytest.mark.parametrize("missing", ["payload", "manifest", "key"])
def test_a_missing_file_is_named(source: Source, missing: str) -> None:
    path = getattr(source, missing)
    path.unlink()

    with pytest.raises(StartError, match=rf"^{path} cannot be read: No such file or directory; mount it"):
        load(source)


def test_an_empty_payload_is_named(source: Source) -> None:
    source.payload.write_bytes(b"")

    with pytest.raises(StartError, match=rf"^{source.payload} is empty"):
        load(source)


@pytest.mark.parametrize("larger", ["payload", "manifest"])
def test_a_file_of_a_size_that_cannot_be_takes_no_memory(source: Source, larger: str) -> None:
    """A file with holes claims any size."""
    os.truncate(getattr(source, larger), 1 << 42)

    with Opening(source) as opening:
        with pytest.raises(StartError, match=f"the {larger}('s size differs| exceeds the limit)"):
            load_opened(opening)
        assert os.fstat(opening._file).st_size == 0
    assert not opening._memory


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"-----BEGIN PRIVATE KEY-----\n", b"secret words"])
def test_what_is_no_key_is_named_and_not_quoted(source: Source, content: bytes) -> None:
    source.key.write_bytes(content)

    with pytest.raises(StartError, match="private key in PEM") as refused:
        load(source)
    assert str(refused.value).startswith(str(source.key))
    assert "secret" not in str(refused.value)


def test_another_key_another_pin_and_flipped_bits_are_told_in_one_line(source: Source) -> None:
    key = source.key.read_text()
    source.key.write_text(key_pair(1).pem)
    with pytest.raises(StartError, match=r"^private key .* does not belong to a recipient of this artifact; use"):
        load(source)
    source.key.write_text(key)
    with pytest.raises(StartError, match=r"not the pinned artifact 0{32} .*; deploy the manifest"):
        load(replace(source, artifact_id="0" * 32))
    payload = bytearray(source.payload.read_bytes())
    payload[-1] ^= 1
    source.payload.write_bytes(payload)
    with pytest.raises(StartError, match=r"^the payload differs from what was sealed; fetch it from the store"):
        load(source)


def test_a_key_whose_numbers_do_not_fit_opens_nothing(source: Source) -> None:
    """A trusted key is not checked when it is read."""
    lines = source.key.read_text().splitlines()
    for number in range(len(lines) // 3, len(lines) - 2):  # behind the modulus, by which a key is known
        lines[number] = lines[number][::-1]
    source.key.write_text("\n".join(lines) + "\n")

    with pytest.raises(StartError, match="key"):
        load(source)
