"""What a preview says of a run that is about to happen, from the store and the machine alone."""

import asyncio
import base64
import subprocess
from pathlib import Path

import pytest

from components.plugin.foretold import foretell, is_run
from components.plugin.training_inputs import JOB_INPUTS, find_run_ids
from components.plugin.training_run import TrainingRunResource
from sealift.provider import UNKNOWN, CheckRequest, PluginError, Properties, Value, reveal_all
from sealift.sealing import record_key, seal_record
from sealift.stores import MANIFESTS, RECORDS, StoreUnwritable, open_store
from tests.keys import key_pair
from training.checkpoint import Record, SealedRecord, TrainingRecord, encode
from training.findings import Finding
from training.job import Job
from training.judgement import Evidence
from training.report.content import Report

STORE_KEY = bytes(range(32))
ARTIFACT = "ab" * 16


def inputs(folder: Path, **changed: Value) -> Properties:
    given: Properties = {
        "dataset": "iris", "storeUrl": f"file://{folder / 'store'}", "recipients": [key_pair().recipient.pem],
        "storeKey": base64.b64encode(STORE_KEY).decode(), **changed,
    }  # fmt: skip
    response = asyncio.run(TrainingRunResource().check(CheckRequest("urn", {}, given)))
    assert response.failures == []
    return response.inputs


SEALED = SealedRecord({"artifact_id": ARTIFACT}, {}, b"")
UNDER_WAY = TrainingRecord(1.0, 1.0, None, (), None, b"")


def run_ids(given: Properties) -> tuple[str, str]:
    plain = reveal_all(given)
    job, _ = Job.validate({name: plain[name] for name in JOB_INPUTS if name in plain})
    assert job is not None
    return find_run_ids(job, plain, STORE_KEY)


def seal(folder: Path, given: Properties, *, artifact: bool, record: Record = SEALED, key: bytes = STORE_KEY) -> None:
    """What a run leaves in the store."""
    run_id, _ = run_ids(given)
    store = open_store(f"file://{folder / 'store'}")
    store.swap(RECORDS, run_id, seal_record(record_key(key, run_id), run_id, *encode(record)), None)
    if artifact:
        store.put(MANIFESTS, ARTIFACT, b"{}")


def test_a_run_whose_artifact_is_sealed_already_is_not_said_to_be_trained(tmp_path: Path) -> None:
    given = inputs(tmp_path)
    assert foretell(given) is None

    seal(tmp_path, given, artifact=True)

    assert foretell(given) == ARTIFACT
    assert foretell(inputs(tmp_path, learningRate=0.5)) is None


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (
            {"gates": {"metrics": {"accuracy": {"minimum": 0.9}}}},
            "the gates refuse the model: accuracy misses its minimum",
        ),
        ({"quality": {"maximumMissing": 0.0}}, "age"),
    ],
    ids=["a gate", "a limit of the data"],
)
def test_a_sealed_model_that_would_be_refused_is_refused_before_the_run(
    tmp_path: Path, asked: dict[str, Value], words: str
) -> None:
    missing = Finding("missingValues", ("age",), "'age' is missing in 3 of 10 rows", 3, 10)
    report = Report("m on d", "net", "iris", "classification", metrics={"accuracy": 0.8})
    evidence = Evidence(report, (missing,), 100).encode()
    allowed: dict[str, Value] = {"quality": {"maximumMissing": 0.5}}
    seal(tmp_path, inputs(tmp_path), artifact=True, record=SealedRecord({"artifact_id": ARTIFACT}, {}, evidence))
    assert foretell(inputs(tmp_path, **allowed)) == ARTIFACT

    with pytest.raises(PluginError, match=words):
        foretell(inputs(tmp_path, **(allowed | asked)))


def test_keys_that_a_rotation_makes_anew_are_no_part_of_what_is_foretold(tmp_path: Path) -> None:
    """A preview of a rotation knows neither the new recipients nor the keys that open, whatever else changes."""
    unknown: dict[str, Value] = {"recipients": UNKNOWN, "openingKeys": UNKNOWN}
    given = inputs(tmp_path, **unknown)
    seal(tmp_path, inputs(tmp_path), artifact=True)
    run_id, for_these_keys = run_ids(inputs(tmp_path))

    assert foretell(given) == ARTIFACT
    assert foretell(inputs(tmp_path, learningRate=0.5, **unknown)) is None
    assert is_run(given, run_id)
    assert not is_run(given, for_these_keys)
    assert is_run(inputs(tmp_path), for_these_keys)
    assert not is_run(inputs(tmp_path, learningRate=0.5, **unknown), run_id)


def test_a_record_whose_artifact_is_gone_foretells_training(tmp_path: Path) -> None:
    given = inputs(tmp_path)
    seal(tmp_path, given, artifact=False)

    assert foretell(given) is None


@pytest.mark.parametrize(
    ("record", "key"),
    [(UNDER_WAY, STORE_KEY), (SEALED, bytes(32))],
    ids=["of a run that is under way", "damaged"],
)
def test_a_record_that_tells_of_no_artifact_foretells_training(tmp_path: Path, record: Record, key: bytes) -> None:
    given = inputs(tmp_path)
    seal(tmp_path, given, artifact=True, record=record, key=key)

    assert foretell(given) is None


def test_where_a_gpu_is_only_wished_for_none_is_missed(tmp_path: Path) -> None:
    assert foretell(inputs(tmp_path, device="auto"), devices=tmp_path) is None


def test_a_gpu_that_is_not_there_is_said_before_the_run(tmp_path: Path) -> None:
    given = inputs(tmp_path, device="cuda")

    with pytest.raises(PluginError, match="device is 'cuda', but this machine has no GPU device") as refused:
        foretell(given, devices=tmp_path)
    assert "'auto'" in str(refused.value.hint)
    (tmp_path / "nvidia0").touch()
    assert foretell(given, devices=tmp_path) is None


def test_a_store_that_cannot_be_written_is_said_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "store").touch()

    with pytest.raises(StoreUnwritable, match="is a file"):
        foretell({name: value for name, value in inputs(tmp_path).items() if name != "storeKey"})


def test_a_store_of_keys_that_cannot_be_written_is_said_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "keys").touch()

    with pytest.raises(StoreUnwritable, match="keys cannot be created"):
        foretell({**inputs(tmp_path), "keysUrl": f"file://{tmp_path}/keys"})


def test_a_read_only_store_refuses_a_new_run_and_not_one_that_is_sealed(tmp_path: Path) -> None:
    given = inputs(tmp_path)
    seal(tmp_path, given, artifact=True)
    store = tmp_path / "store"
    bound = subprocess.run(["mount", "--bind", store, store], capture_output=True, text=True)
    if bound.returncode != 0:
        pytest.skip(f"a mount of its own needs root: {bound.stderr.strip()}")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", store], check=True)
        assert foretell(given) == ARTIFACT
        with pytest.raises(StoreUnwritable, match="may not write"):
            foretell(inputs(tmp_path, learningRate=0.5))
    finally:
        subprocess.run(["umount", store], check=True)
