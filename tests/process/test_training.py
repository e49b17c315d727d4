"""The training process: results, reuse, kills, cancels, what it refuses, and what it never does."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import safetensors.numpy
from onnx import numpy_helper

from sealift.sealing import open_artifact
from sealift.stores import RECORDS, get_manifest, get_payload, open_store, owners_name
from tests.damage import with_another_last_byte
from tests.keys import key_pair
from tests.process.training_process import (
    RUN_ID,
    RUN_KEY,
    Event,
    Training,
    opened,
    phase,
    request,
    sent,
    training_epoch,
)
from training import job as training_job
from training.options import InitFrom
from training.report.content import Report
from training.report.payload import extract

PROJECT_ROOT = Path(__file__).resolve().parents[2]
AUDIT_LINE = re.compile(r"[0-9a-f]{16}")
"""Name of a line of the store's audit log."""
DIGITS = training_job.Job(dataset="digits")
LONG = 1_000_000
"""Epochs that no test waits for."""
"""Two are enough on an idle machine. A cancel that waited for the run would take an hour."""


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "printed"


def files(store: Path, kind: str) -> list[str]:
    return sorted(path.name for path in (store / kind).glob("*"))


def artifacts(result: Event) -> list[str]:
    """The ids of the model and of its report."""
    return sorted([result["artifact_id"], result["report_artifact_id"]])


def answer(model: bytes, rows: list[list[float]]) -> Any:
    (found,) = onnxruntime.InferenceSession(model).run(None, {"input": np.array(rows, np.float32)})
    return found


@pytest.mark.parametrize(("dataset", "metric", "least"), [("diabetes", "r2", 0.35), ("digits", "accuracy", 0.9)])
def test_a_run_seals_a_model_that_answers_the_example_as_it_says(
    tmp_path: Path, output: Path, dataset: str, metric: str, least: float
) -> None:
    store = tmp_path / "store"
    result = Training(request(store, job={"dataset": dataset}), output).result()

    model, description = opened(store, result)
    assert result["metrics"] == description["metrics"]
    assert result["metrics"][metric] > least
    assert (result["epochs_run"], result["stop_reason"], result["reused"]) == (100, "epochs", False)
    assert result["payload_size"] > len(model)
    found = answer(model, result["example"]["inputs"])
    assert found.tolist() == [pytest.approx(result["example"]["expected"][0], rel=1e-5)]
    assert output.read_text() == ""


def test_the_manifest_describes_what_was_trained_from_what(tmp_path: Path, output: Path) -> None:
    store = tmp_path / "store"
    settings = {"dataset": "digits", "epochs": 2, "seed": 5, "stopLoss": 0.001}
    result = Training(request(store, job=settings), output).result()

    _, description = opened(store, result)

    assert description["task"] == "classification"
    assert description["hyperparameters"] == {
        "dataset": "digits", "model": "net", "learningRate": 0.01, "epochs": 2, "batchSize": 32, "seed": 5,
        "stopLoss": 0.001, "threads": 1,
    }  # fmt: skip
    assert description["dataDigest"] == training_job.data_digest(DIGITS, PROJECT_ROOT)
    assert description["codeDigest"] == training_job.code_digest(DIGITS, PROJECT_ROOT)
    assert description["libraries"] == training_job.libraries(DIGITS)
    assert description["classes"] == list("0123456789")
    assert description["inputs"] == [{"name": "input", "datatype": "FP32", "shape": ["batch", 64]}]
    assert description["output"] == {"name": "probabilities", "datatype": "FP32", "shape": ["batch", 10]}
    assert description["rows"] == {"train": 1438, "heldOut": 359}
    assert description["features"][0] == "pixel_0_0"
    reference = description["inputReference"]["pixel_4_4"]
    assert reference["minimum"] <= reference["mean"] <= reference["maximum"] <= 16
    bins = description["inputBins"]["pixel_4_4"]
    assert len(bins["shares"]) == len(bins["bounds"]) + 1 > 2


def test_progress_is_throttled_and_the_last_epoch_is_always_told(tmp_path: Path, output: Path) -> None:
    training = Training(request(tmp_path / "store", job={"epochs": 300}), output)
    result = training.result()

    told = [event for event in training.events if "epoch" in event]
    assert told[-1]["epoch"] == 300
    assert len(told) <= 2 + result["duration_seconds"] / 0.25
    assert told[0].keys() >= {
        "epoch", "epochs", "step", "steps", "loss", "validation", "rows_per_second", "training_seconds",
        "seconds", "eta_seconds", "energy_joules",
    }  # fmt: skip
    phases = [event["phase"] for event in training.events if event["event"] == "progress"]
    assert list(dict.fromkeys(phases)) == ["load", "data", "train", "export", "report", "seal"]


def test_the_same_run_again_is_the_same_artifact_and_trains_nothing(tmp_path: Path, output: Path) -> None:
    first = Training(request(tmp_path / "store", job={"epochs": 2}), output).result()
    training = Training(request(tmp_path / "store", job={"epochs": 2}), output)
    second = training.result()

    assert second == first | {"reused": True}
    assert training.events == [second]


def test_a_reused_run_loads_no_torch(tmp_path: Path, output: Path) -> None:
    asked = request(tmp_path / "store", job={"epochs": 2})
    Training(asked, output).result()
    program = """if True:
        import runpy, sys
        sys.modules["torch"] = sys.modules["numpy"] = None
        runpy.run_module("training", run_name="__main__")
    """

    events, exit_code, _ = run_cold(asked, program=program)

    assert exit_code == 0
    assert events[-1]["reused"] is True


def test_two_stores_get_the_same_model_under_ids_that_do_not_tell(tmp_path: Path, output: Path) -> None:
    first = Training(request(tmp_path / "a", job={"epochs": 2}), output).result()
    second = Training(request(tmp_path / "b", job={"epochs": 2}), output).result()

    assert opened(tmp_path / "a", first) == opened(tmp_path / "b", second)
    assert first["content_digest"] == second["content_digest"]
    assert first["artifact_id"] != second["artifact_id"]
    assert first["payload_digest"] != second["payload_digest"]


@pytest.mark.parametrize("kind", ["payloads", "manifests"])
@pytest.mark.parametrize("damage", ["missing", "flipped"])
def test_a_lost_artifact_is_made_anew_and_nothing_of_the_old_is_left(
    tmp_path: Path, output: Path, kind: str, damage: str
) -> None:
    store = tmp_path / "store"
    asked = request(store, job={"epochs": 2})
    first = Training(asked, output).result()
    file = store / kind / first["artifact_id"]
    if damage == "missing":
        file.unlink()
    else:
        content = file.read_bytes()
        file.write_bytes(content[:5] + bytes([content[5] ^ 1]) + content[6:])

    training = Training(asked, output)
    second = training.result()

    assert second["content_digest"] == first["content_digest"]
    assert second["reused"] is False
    assert "lost" in training.events[0]["message"]
    assert files(store, "payloads") == files(store, "manifests") == artifacts(second)


@pytest.mark.parametrize("kind", ["payloads", "manifests"])
def test_a_damaged_artifact_that_has_owners_is_left_to_them(tmp_path: Path, output: Path, kind: str) -> None:
    folder = tmp_path / "store"
    asked = request(folder, job={"epochs": 2})
    first = Training(asked, output).result()
    store = open_store(f"file://{folder}")
    store.swap(RECORDS, owners_name(first["artifact_id"]), b"sealed", None)
    file = folder / kind / first["report_artifact_id"]
    file.write_bytes(with_another_last_byte(file.read_bytes()))

    second = Training(asked, output).result()

    assert second["lost"] == [first["artifact_id"], first["report_artifact_id"]]
    assert second["artifact_id"] != first["artifact_id"]
    assert set(files(folder, kind)) == {*artifacts(first), *artifacts(second)}


KILLS = [
    ("as it starts", lambda event: True, 0.0),
    ("in the first epochs", training_epoch(1), 0.0),
    ("a little later", training_epoch(1), 0.1),
    ("again", training_epoch(1), 0.2),
    ("and again", training_epoch(1), 0.3),
    ("after a quarter", training_epoch(500), 0.05),
    ("after a half", training_epoch(1000), 0.0),
    ("in the export", phase("export"), 0.01),
    ("as sealing begins", phase("seal"), 0.0),
    ("while sealing", phase("seal"), 0.004),
]


def test_a_run_killed_at_ten_moments_ends_as_the_undisturbed_one(tmp_path: Path, output: Path) -> None:
    job = {"epochs": 2000}
    undisturbed = Training(request(tmp_path / "calm", job=job), output).result()
    store = tmp_path / "store"
    asked = request(store, job=job, checkpoint_seconds=0.05)

    killed, resumed = 0, 0
    for _, moment, delay in KILLS:
        training = Training(asked, output)
        if training.until(moment):
            time.sleep(delay)
        training.signal(signal.SIGKILL)
        killed += training.wait() == -signal.SIGKILL
        resumed += any("continuing after epoch" in event.get("message", "") for event in training.events)
    result = Training(asked, output).result()

    assert killed >= 9, "the last kill may come too late"
    assert resumed >= 5
    assert result["content_digest"] == undisturbed["content_digest"]
    assert opened(store, result) == opened(tmp_path / "calm", undisturbed)
    assert result["metrics"] == undisturbed["metrics"]
    assert files(store, "payloads") == files(store, "manifests") == artifacts(result), "no orphan"
    assert files(store, "records") == [RUN_ID]


@pytest.mark.parametrize("step", [("create", "payloads"), ("create", "manifests"), ("swap", "records")], ids="/".join)
@pytest.mark.parametrize("after", [False, True])
def test_a_kill_before_or_after_each_step_of_sealing_leaves_no_orphan(
    tmp_path: Path, output: Path, step: tuple[str, str], after: bool
) -> None:
    """A cold process kills itself around the last call of this step."""
    method, folder = step
    store = tmp_path / "store"
    asked = request(store, job={"epochs": 2})
    calls = 2  # the report's and the model's; or the model trained and the model sealed
    program = f"""if True:
        import contextlib, os, runpy, signal
        from sealift.stores.file_store import FileStore
        original, calls = FileStore.{method}, []
        @contextlib.contextmanager
        def around(folder):
            calls.append(folder)
            last = folder == {folder!r} and calls.count(folder) == {calls}
            if last and not {after}: os.kill(os.getpid(), signal.SIGKILL)
            yield
            if last: os.kill(os.getpid(), signal.SIGKILL)
        def swap(store, folder, *arguments):
            with around(folder):
                return original(store, folder, *arguments)
        @contextlib.contextmanager
        def create(store, folder, *arguments):
            with around(folder), original(store, folder, *arguments) as file:
                yield file
        FileStore.{method} = {method}
        runpy.run_module('training', run_name='__main__')
    """
    _, exit_code, _ = run_cold(asked, program=program)
    assert exit_code == -signal.SIGKILL

    training = Training(asked, output)
    result = training.result()

    assert not any("epoch" in event for event in training.events), "the trained model was recorded"
    assert files(store, "payloads") == files(store, "manifests") == artifacts(result)
    opened(store, result)


@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM", "end of stdin"])
def test_a_cancel_saves_a_checkpoint_and_the_next_run_goes_on_from_it(tmp_path: Path, output: Path, how: str) -> None:
    asked = request(tmp_path / "store", job={"epochs": LONG})
    training = Training(asked, output)
    training.until(training_epoch(2))

    if how == "end of stdin":
        training.close_stdin()
    else:
        training.signal(signal.Signals[how])
    exit_code = training.wait()

    assert exit_code == 130
    assert "the checkpoint is saved" in training.last["message"]
    cancelled_after = int(training.last["message"].split()[3])
    again = Training(asked, output)
    again.until(training_epoch(1))
    again.signal(signal.SIGTERM)
    assert again.wait() == 130
    epochs = [event["epoch"] for event in again.events if "epoch" in event]
    assert epochs[0] == cancelled_after + 1


def test_a_run_killed_after_seconds_goes_on_though_no_checkpoint_was_due_by_time(tmp_path: Path, output: Path) -> None:
    asked = request(tmp_path / "store", job={"epochs": LONG}, checkpoint_seconds=3600)
    training = Training(asked, output)
    training.until(training_epoch(1))
    began = next(event for event in training.events if "epoch" in event)["seconds"]
    training.until(lambda event: event.get("seconds", 0) > began + 2)
    training.signal(signal.SIGKILL)
    training.wait()

    again = Training(asked, output)
    again.until(training_epoch(1))
    again.signal(signal.SIGKILL)
    again.wait()

    assert any("continuing after epoch" in event.get("message", "") for event in again.events)


def test_a_cancelled_and_resumed_run_ends_as_the_undisturbed_one(tmp_path: Path, output: Path) -> None:
    job = {"epochs": 600, "dataset": "digits", "batchSize": 256}
    undisturbed = Training(request(tmp_path / "calm", job=job), output).result()
    asked = request(tmp_path / "store", job=job)
    cancelled = Training(asked, output)
    cancelled.until(training_epoch(2))
    cancelled.signal(signal.SIGINT)
    assert cancelled.wait() == 130

    result = Training(asked, output).result()

    assert opened(tmp_path / "store", result) == opened(tmp_path / "calm", undisturbed)


def test_a_cancel_while_torch_loads_ends_at_once(tmp_path: Path) -> None:
    process, reading = start_cold(request(tmp_path / "store"))
    with os.fdopen(reading, "rb") as events:
        assert json.loads(events.readline())["phase"] == "load"
        process.send_signal(signal.SIGTERM)
        exit_code = process.wait(10)
        assert events.read() == b""
    process.communicate()

    assert exit_code == 130


SLOW = """
import hashlib
def rows():
    hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)  # an hour in C, where Python's handlers do not run
"""


def test_a_cancel_while_a_library_reads_the_data_does_not_wait_for_it(tmp_path: Path, output: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    asked = request(tmp_path / "store", job={"dataset": "slow:rows"}, code_folder=str(tmp_path))
    training = Training(asked, output)
    training.until(phase("data"))
    time.sleep(0.5)

    training.signal(signal.SIGINT)

    assert training.wait() == 130


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_cancel_or_a_kill_during_the_export_loses_no_epoch(
    tmp_path: Path, output: Path, number: signal.Signals
) -> None:
    """The export waits as long as there is a file (48 steps an epoch); each epoch takes more than a second."""
    wait = tmp_path / "wait"
    pause = f"0.03 if self.training else 3600 * (self.calls > 60 and os.path.exists({str(wait)!r}))"
    job = own_code(tmp_path, in_forward=f"__import__('time').sleep({pause})") | {"epochs": 2, "batchSize": 1}
    asked = request(tmp_path / "store", job=job, code_folder=str(tmp_path))
    undisturbed = Training(asked | {"store_url": f"file://{tmp_path / 'other'}"}, output).result()
    wait.touch()
    try:
        training = Training(asked, output)
        assert training.until(phase("export"))
        time.sleep(0.5)
        training.signal(number)
        assert training.wait() == (130 if number == signal.SIGINT else -number)
    finally:
        wait.unlink()

    again = Training(asked, output)

    assert again.result()["content_digest"] == undisturbed["content_digest"]
    assert any("continuing after epoch 2 of 2" in event.get("message", "") for event in again.events)
    assert not any("epoch" in event for event in again.events)


def test_two_processes_with_the_same_run_make_one_artifact(tmp_path: Path, output: Path) -> None:
    asked = request(tmp_path / "store", job={"epochs": 700})
    first, second = Training(asked, output), Training(asked, output)

    results = [first.result(), second.result()]

    assert sorted(result["reused"] for result in results) == [False, True]
    assert results[0]["artifact_id"] == results[1]["artifact_id"]
    waited = first if results[0]["reused"] else second
    assert any("another process" in event.get("message", "") for event in waited.events)


def test_a_damaged_checkpoint_is_said_and_the_run_starts_anew(tmp_path: Path, output: Path) -> None:
    asked = request(tmp_path / "store", job={"epochs": LONG})
    training = Training(asked, output)
    training.until(training_epoch(1))
    training.signal(signal.SIGTERM)
    training.wait()
    record = tmp_path / "store" / "records" / RUN_ID
    content = record.read_bytes()
    record.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))

    again = Training(asked, output)
    again.until(training_epoch(1))
    again.signal(signal.SIGTERM)
    again.wait()

    assert again.events[0]["level"] == "warning"
    assert "damaged" in again.events[0]["message"]
    assert next(event for event in again.events if "epoch" in event)["epoch"] == 1


def test_a_diverging_run_advises_keeps_its_last_good_checkpoint_and_seals_nothing(tmp_path: Path, output: Path) -> None:
    store = tmp_path / "store"
    training = Training(request(store, job={"learningRate": 1000.0}, checkpoint_seconds=0), output)

    assert training.wait() == 1
    assert training.last["event"] == "error"
    assert "NaN" in training.last["message"]
    assert "learningRate 1000" in training.last["message"]
    assert "lower learningRate" in training.last["hint"]
    assert files(store, "payloads") == []
    assert output.read_text() == ""


def test_a_refused_model_is_not_sealed_and_its_report_is_and_the_next_run_trains_nothing(
    tmp_path: Path, output: Path
) -> None:
    """A failed gate once left nothing to look at."""
    job = {"epochs": 2, "gates": {"metrics": {"r2": {"minimum": 0.99}}}}
    asked = request(tmp_path / "store", job=job, expose_metrics=True)

    first, second = Training(asked, output), Training(asked, output)

    assert (first.wait(), second.wait()) == (1, 1)
    for error in (first.last, second.last):
        assert "minimum 0.99\n  all metrics of the held-out rows: mse " in error["message"]
    assert first.last["report"]["artifact_id"] == second.last["report"]["artifact_id"]
    assert files(tmp_path / "store", "payloads") == [first.last["report"]["artifact_id"]]
    again = Training(asked, output)
    assert again.wait() == 1
    assert "train" not in [event.get("phase") for event in again.events]


def report_of(store: Path, result: Event) -> Report:
    found, artifact_id = open_store(f"file://{store}"), result["report_artifact_id"]
    page = open_artifact(
        get_manifest(found, artifact_id), get_payload(found, artifact_id), key_pair(), artifact_id=artifact_id,
        payload_digest=result["report_payload_digest"],
    )  # fmt: skip
    return extract(str(page.model, "utf-8"))


def test_other_requirements_are_judged_and_reported_from_the_record_of_the_sealed_run(
    tmp_path: Path, output: Path
) -> None:
    """Another contact once trained the model again."""
    store = tmp_path / "store"
    first = Training(request(store, job={"epochs": 2}), output).result()
    asked = {"epochs": 2, "modelCard": {"contact": "ada"}, "gates": {"metrics": {"r2": {"minimum": -100}}}}

    training = Training(request(store, job=asked), output)
    second = training.result()

    own = ("report_artifact_id", "report_payload_digest", "report_manifest")
    assert {**second, **{name: first[name] for name in own}} == first | {"reused": True}
    assert [event["phase"] for event in training.events if event["event"] == "progress"] == ["seal"]
    report = report_of(store, second)
    assert report.card is not None
    assert report.card.contact == "ada"
    assert [gate.passed for gate in report.gates or ()] == [True]
    assert report_of(store, first).gates is None, "whoever asked for that one may still use it"
    assert Training(request(store, job=asked), output).result() == second
    assert Training(request(store, job={"epochs": 2}), output).result() == first | {"reused": True}


def test_another_folder_of_the_same_code_is_trained_again_where_it_reads_what_no_digest_counts(
    tmp_path: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    net = """
import importlib, torch
def Net(features, outputs):
    width = importlib.import_module('wi' + 'de').WIDTH
    return torch.nn.Sequential(torch.nn.Linear(features, width), torch.nn.Linear(width, outputs))
"""
    for folder, width in (("v1", 3), ("v2", 5)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "nets.py").write_text(net)
        (tmp_path / folder / "wide.py").write_text(f"WIDTH = {width}\n")
    store = tmp_path / "store"

    def trained(folder: str) -> Event:
        job = {"epochs": 1, "model": "nets:Net", "modelPath": folder}
        return Training(request(store, job=job), output).result()

    first, other = trained("v1"), trained("v2")
    assert not other["reused"]
    assert other["content_digest"] != first["content_digest"]
    assert trained("v2")["reused"]


def test_what_a_kill_left_of_a_model_goes_where_a_stricter_gate_refuses_it(tmp_path: Path, output: Path) -> None:
    """The kill comes when model and report are in the store, and the run's record does not say so yet."""
    store = tmp_path / "store"
    program = """if True:
        import os, runpy, signal
        from training.checkpoint import Records, SealedRecord
        save = Records.save
        def kill(records, record):
            if isinstance(record, SealedRecord): os.kill(os.getpid(), signal.SIGKILL)
            save(records, record)
        Records.save = kill
        runpy.run_module('training', run_name='__main__')
    """
    _, exit_code, _ = run_cold(request(store, job={"epochs": 2}), program=program)
    assert exit_code == -signal.SIGKILL
    assert len(files(store, "manifests")) == 2
    job = {"epochs": 2, "gates": {"metrics": {"r2": {"minimum": 0.99}}}}

    refused = Training(request(store, job=job), output)

    assert refused.wait() == 1
    assert files(store, "payloads") == files(store, "manifests") == [refused.last["report"]["artifact_id"]]


def test_a_sealed_model_is_refused_by_a_stricter_gate_and_stays(tmp_path: Path, output: Path) -> None:
    store = tmp_path / "store"
    first = Training(request(store, job={"epochs": 2}), output).result()
    job = {"epochs": 2, "gates": {"metrics": {"r2": {"minimum": 0.99}}}}

    refused = Training(request(store, job=job), output)

    assert refused.wait() == 1
    assert "the gates refuse the model: r2 " in refused.last["message"]
    assert refused.last["report"]["of"] == first["artifact_id"]
    assert not [event for event in refused.events if "epoch" in event]
    assert Training(request(store, job={"epochs": 2}), output).result() == first | {"reused": True}


def test_a_refused_model_is_sealed_once_its_gate_is_lowered_and_nothing_is_trained(
    tmp_path: Path, output: Path
) -> None:
    store = tmp_path / "store"
    refused = Training(request(store, job={"epochs": 2, "gates": {"metrics": {"r2": {"minimum": 0.99}}}}), output)
    assert refused.wait() == 1

    training = Training(request(store, job={"epochs": 2}), output)
    result = training.result()

    assert not [event for event in training.events if "epoch" in event]
    left = refused.last["report"]["artifact_id"]
    assert set(files(store, "payloads")) == {*artifacts(result), left}, "whoever noted it deletes it"


def test_a_model_that_was_refused_beside_a_better_one_is_sealed_beside_a_worse(tmp_path: Path, output: Path) -> None:
    asked = request(tmp_path / "store", job={"epochs": 2, "gates": {"noWorseThanDeployed": "mse"}})
    refused = Training(asked | {"deployed_metrics": {"mse": 1.0}}, output)
    assert refused.wait() == 1

    result = Training(asked | {"deployed_metrics": {"mse": 1e9}}, output).result()

    assert artifacts(result)[0] in files(tmp_path / "store", "payloads")


def test_a_run_starts_from_a_safetensors_file_and_tells_what_its_content_was(tmp_path: Path, output: Path) -> None:
    own = np.random.default_rng(0)
    sizes = {"hidden.weight": (20, 10), "hidden.bias": (20,), "output.weight": (1, 20), "output.bias": (1,)}
    first = {name: own.normal(size=size).astype(np.float32) for name, size in sizes.items()}
    safetensors.numpy.save_file(first, tmp_path / "first.safetensors")
    asked = request(
        tmp_path / "store", code_folder=str(tmp_path),
        job={"epochs": 1, "freeze": ["hidden"], "initFrom": {"path": "first.safetensors"}},
    )  # fmt: skip

    model, description = opened(tmp_path / "store", Training(asked, output).result())

    sealed = {one.name: numpy_helper.to_array(one) for one in onnx.ModelProto.FromString(model).graph.initializer}
    assert np.array_equal(sealed["net.hidden.weight"], first["hidden.weight"])
    init = InitFrom(path="first.safetensors")
    assert description["dataDigest"] == training_job.data_digest(training_job.Job(init_from=init), tmp_path)


OWN_CODE = """import os, sys
import numpy as np
import torch
from torch import nn
{at_import}
class Net(nn.Linear):
    def __init__(self, features, outputs):
        {in_constructor}
        super().__init__(features, outputs)
        self.calls = 0
    def forward(self, x):
        self.calls += 1
        {in_forward}
        return super().forward(x)
def rows():
    {in_data}
    own = np.random.default_rng(0)
    x = own.normal(size=(60, 3))
    return x, x.sum(axis=1) + own.normal(size=60)
def noisy(x, generator):
    {in_augment}
    return x
"""
PLACES = ("at_import", "in_constructor", "in_forward", "in_data", "in_augment")
LINES = {"at_import": 5, "in_constructor": 8, "in_forward": 13, "in_data": 16, "in_augment": 21}


def own_code(folder: Path, **code: str) -> dict[str, object]:
    """A user's folder with this code in it, and the job that uses all of it."""
    (folder / "mine.py").write_text(OWN_CODE.format(**dict.fromkeys(PLACES, "pass") | code))
    return {"model": "mine:Net", "dataset": "mine:rows", "augment": "mine:noisy", "epochs": 3}


@pytest.mark.parametrize(
    ("place", "code"),
    [
        *((place, "sys.exit()") for place in PLACES),
        ("at_import", "raise SystemExit('no licence')"),
        ("in_forward", "self.training and self.calls > 4 and sys.exit(0)"),
        ("in_forward", "self.training or self.calls < 5 or sys.exit(0)"),
        ("in_forward", "self.training and {}['weights']"),
        ("in_forward", "self.training and open('/nowhere/weights')"),
        ("in_forward", "self.training and x @ x"),
        ("in_augment", "return int('x')"),
        ("in_constructor", "raise NotImplementedError"),
        ("in_data", "1 / 0"),
    ],
)
def test_code_that_exits_or_raises_is_an_error_with_its_file_and_line_wherever_it_does(
    tmp_path: Path, output: Path, place: str, code: str
) -> None:
    job = own_code(tmp_path, **{place: code})

    training = Training(request(tmp_path / "store", job=job, code_folder=str(tmp_path)), output)

    assert training.wait() == 1
    assert training.last["event"] == "error"
    assert f"(mine.py:{LINES[place]})" in training.last["message"]
    assert training.last["hint"] != ""
    assert "Traceback" not in output.read_text()
    assert files(tmp_path / "store", "payloads") == []


@pytest.mark.parametrize("place", PLACES)
def test_a_value_in_what_code_raises_is_in_no_event_and_not_printed(tmp_path: Path, output: Path, place: str) -> None:
    job = own_code(tmp_path, **{place: "raise ValueError('patient', 4711)"})

    training = Training(request(tmp_path / "store", job=job, code_folder=str(tmp_path)), output)

    assert training.wait() == 1
    assert f"raised ValueError (mine.py:{LINES[place]})" in training.last["message"]
    assert "4711" not in json.dumps(training.events) + output.read_text()


def test_own_code_that_prints_megabytes_and_forged_events_trains_all_the_same(tmp_path: Path, output: Path) -> None:
    noise = (
        """print('x' * 2_000_000, '{"event": "result"}', sep=chr(10)); os.write(1, b'{"event": "error"}' + bytes(99))"""
    )
    job = own_code(tmp_path, **dict.fromkeys(PLACES, noise))

    training = Training(request(tmp_path / "store", job=job | {"epochs": 1}, code_folder=str(tmp_path)), output)

    result = training.result()
    assert [event["event"] for event in training.events].count("result") == 1
    assert result["epochs_run"] == 1
    assert output.stat().st_size > 10_000_000


@pytest.mark.parametrize("threads", [1, 2])
def test_the_same_run_in_two_processes_is_the_same_content(tmp_path: Path, threads: int) -> None:
    """Of sums that a second thread may take a share of: 300 rows by 600 by 600."""
    job = own_code(tmp_path) | {"dataset": "digits", "model": "mlp", "modelArguments": {"hidden": [600, 600]},
                                "batchSize": 300, "threads": threads, "momentum": 0.9, "epochs": 2}  # fmt: skip
    made = []
    for store in ("first", "second"):
        asked = request(tmp_path / store, job=job, code_folder=str(tmp_path))
        events, exit_code, printed = run_cold(asked)
        assert exit_code == 0, printed
        made.append(events[-1]["content_digest"])

    assert made[0] == made[1]


def test_an_operation_that_cannot_be_repeated_is_refused_unless_the_run_need_not_be(
    tmp_path: Path, output: Path
) -> None:
    code = "x = x.clone().put_(torch.tensor([0]), torch.tensor([1.0]))"
    asked = {"code_folder": str(tmp_path)}
    job = own_code(tmp_path, in_forward=f"if self.training: {code}")

    refused = Training(request(tmp_path / "store", job=job, **asked), output)

    assert refused.wait() == 1
    assert "put_ of mine:Net is not repeatable bit for bit" in refused.last["message"]
    assert "set deterministic to false" in refused.last["hint"]
    Training(request(tmp_path / "store", job=job | {"deterministic": False}, **asked), output).result()


def unwritable(folder: Path) -> str:
    """A URL below something that is a file: nothing can be written there, by root neither."""
    (folder / "file").write_text("")
    return f"file://{folder / 'file' / 'store'}"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"recipients": ["-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----\n"]}, ["key"]),
        ({"recipients": []}, ["recipients", "at least one"]),
        ({"store_url": "ftp://example.com"}, ["ftp://example.com", "file://"]),
        ({"run_key": "c2hvcnQ="}, ["run_key", "32 bytes"]),
        ({"run_id": "../../etc"}, ["run_id", "hex"]),
        ({"job": {"epochs": 0, "dataset": "mnist"}}, ["job.epochs is 0", "job.dataset is 'mnist'"]),
        ({"data_digest": "00"}, ["data_digest", "changed", "pulumi up"]),
        ({"code_digest": "00"}, ["code_digest", "changed"]),
        ({"libraries": "torch 1.0"}, ["libraries", "torch 1.0"]),
        ({"processor": "GenuineIntel x86-64"}, ["processor", "GenuineIntel x86-64", "pulumi up"]),
        ({"job": {}, "run_key": 5, "checkpoint_seconds": -1}, ["run_key", "checkpoint_seconds"]),
    ],
)
def test_what_cannot_be_is_an_error_event_with_a_way_out_and_no_traceback(
    tmp_path: Path, output: Path, fields: dict[str, object], words: list[str]
) -> None:
    training = Training(request(tmp_path / "store", **fields), output)

    assert training.wait() == 1
    assert training.last["event"] == "error"
    said = f"{training.last['message']} {training.last['hint']}"
    for word in words:
        assert word in said
    assert training.last["hint"] != ""
    assert "Traceback" not in output.read_text()
    assert files(tmp_path / "store", "payloads") == []


@pytest.mark.parametrize("line", [b"\n", b"[]\n", b"{'job': 1}\n", b"\xff\n", b"null\n", b"[" * 100_000 + b"\n"])
def test_a_request_that_is_none_is_an_error_event(output: Path, line: bytes) -> None:
    training = Training(line, output)

    assert training.wait() == 1
    assert training.last["event"] == "error"
    assert "standard input" in training.last["message"]


def test_a_store_that_cannot_be_written_is_an_error_event(tmp_path: Path, output: Path) -> None:
    training = Training(request(tmp_path, store_url=unwritable(tmp_path)), output)

    assert training.wait() == 1
    assert str(tmp_path / "file") in training.last["message"]
    assert "Traceback" not in output.read_text()


def test_a_full_disk_is_an_error_event_and_a_later_run_goes_on(tmp_path: Path, output: Path) -> None:
    """A file size limit refuses what a full disk refuses: the write of the record."""
    asked = request(tmp_path / "store", job={"epochs": 2})
    program = """if True:
        import resource, signal, runpy
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))
        runpy.run_module('training', run_name='__main__')
    """
    events, exit_code, printed = run_cold(asked, program=program)

    assert exit_code == 1
    assert events[-1]["event"] == "error"
    assert str(tmp_path / "store") in events[-1]["message"]
    assert events[-1]["hint"] != ""
    assert "Traceback" not in printed
    assert files(tmp_path / "store", "payloads") == files(tmp_path / "store", "records") == []
    Training(asked, output).result()


def test_what_code_prints_cannot_break_the_protocol(tmp_path: Path) -> None:
    program = """if True:
        import os, runpy, sys
        import training.run
        original = training.run.train
        def noisy(*arguments):
            print('{"event": "result", "artifact_id": "forged"}', flush=True)
            sys.stderr.write("x" * 100_000)
            os.system("echo from a child")
            return original(*arguments)
        training.run.train = noisy
        runpy.run_module('training', run_name='__main__')
    """
    events, exit_code, printed = run_cold(request(tmp_path / "store", job={"epochs": 1}), program=program)

    assert exit_code == 0
    assert [event["event"] for event in events].count("result") == 1
    assert events[-1]["artifact_id"] != "forged"
    assert "forged" in printed
    assert "from a child" in printed


def test_a_parent_that_reads_no_more_is_a_parent_that_is_gone(tmp_path: Path) -> None:
    process, reading = start_cold(request(tmp_path / "store", job={"epochs": LONG}))
    with os.fdopen(reading, "rb") as events:
        while "epoch" not in json.loads(events.readline()):
            pass

    exit_code = process.wait(30)
    process.communicate()

    assert exit_code == 130
    assert files(tmp_path / "store", "records") == [RUN_ID]


AUDIT = """if True:
    import json, os, runpy, sys
    NAMED = {"os.mkdir", "os.link", "os.symlink", "os.rename", "tempfile.mkstemp", "tempfile.mkdtemp"}
    written = []
    def hook(event, arguments):
        if event == "open":
            path, mode, flags = arguments
            if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) and not isinstance(path, int):
                written.append(os.fsdecode(path))
        elif event in NAMED:
            written.extend(os.fsdecode(path) for path in arguments if isinstance(path, str | bytes))
    sys.addaudithook(hook)
    real = os._exit
    def leave(code):
        print("WRITTEN " + json.dumps(sorted(set(written))), flush=True)
        real(code)
    os._exit = leave
    runpy.run_module("training", run_name="__main__")
"""


def test_no_file_outside_the_store_is_written_and_the_plain_model_is_in_none(tmp_path: Path) -> None:
    """Python's own writes are heard by an audit hook; those of a library in C would show in the folders it is given."""
    store, home = tmp_path / "store", tmp_path / "home"
    home.mkdir()
    environment = {name: str(home) for name in ("HOME", "TMPDIR", "TMP", "TEMP", "XDG_CACHE_HOME")}
    asked = request(store, job={"epochs": 50}, checkpoint_seconds=0)
    before = set(Path("/dev/shm").iterdir())

    events, exit_code, printed = run_cold(asked, program=AUDIT, environment=environment, folder=home)

    assert exit_code == 0, printed
    line = next(line for line in printed.splitlines() if line.startswith("WRITTEN "))
    written = [path for path in json.loads(line.removeprefix("WRITTEN ")) if "__pycache__" not in path]
    absolute = {path for path in written if path.startswith("/") and path != "/dev/null"}
    relative = set(written) - absolute - {"/dev/null"}
    assert str(store / "payloads") in absolute, "the hook hears"
    # /dev/shm is memory: there Python's tempfile tries once whether it could write.
    assert {path for path in absolute if not path.startswith((str(store), "/proc/self/fd/", "/dev/shm/"))} == set()
    named = {path for path in relative if not path.endswith(".new") and not AUDIT_LINE.fullmatch(path)}
    assert named == {".", RUN_ID, *artifacts(events[-1])}
    assert list(home.iterdir()) == []
    new = set(Path("/dev/shm").iterdir()) - before
    until = time.monotonic() + 60
    while any(path.exists() for path in new) and time.monotonic() < until:
        time.sleep(0.1)  # other programs of this machine have files there too, for a while
    assert [path for path in new if path.exists()] == []
    model, _ = opened(store, events[-1])
    for path in filter(Path.is_file, tmp_path.rglob("*")):
        content = path.read_bytes()
        for secret in (model[200:264], RUN_KEY, b"diabetes"):
            assert secret not in content


def test_the_process_shows_no_secret_dumps_no_core_and_holds_no_foreign_file(tmp_path: Path) -> None:
    secret_file = tmp_path / "inherited"
    secret_file.write_text("secret")
    descriptor = os.open(secret_file, os.O_RDONLY)
    process, reading = start_cold(request(tmp_path / "store", job={"epochs": LONG}), inherited=(descriptor,))
    with os.fdopen(reading, "rb") as events:
        while "epoch" not in json.loads(events.readline()):
            pass
        proc = Path(f"/proc/{process.pid}")
        shown = (proc / "cmdline").read_bytes()
        held: list[str] = []
        if os.geteuid() == 0:  # of a process that is not dumpable, only root sees these
            shown += (proc / "environ").read_bytes()
            held = [str(link.readlink()) for link in (proc / "fd").iterdir() if link.exists()]
            assert held
        limits = (proc / "limits").read_text()
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    process.communicate()
    os.close(descriptor)

    key = str(request(tmp_path)["run_key"]).encode()
    assert key not in shown
    assert str(secret_file) not in held
    assert next(line for line in limits.splitlines() if "core file" in line).split()[4:6] == ["0", "0"]


@pytest.mark.parametrize("processes", [1, 2])
def test_no_process_of_a_run_is_dumpable(tmp_path: Path, output: Path, processes: int) -> None:
    """Asked by the user's code, which runs in each that has the data."""
    ask = "import ctypes; print('dumpable:', ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), flush=True)"
    job = own_code(tmp_path, in_data=ask) | {"compute": {"processes": processes}, "epochs": 1}

    training = Training(request(tmp_path / "store", job=job, code_folder=str(tmp_path)), output)

    assert training.result()["epochs_run"] == 1
    answers = [line for line in output.read_text().splitlines() if line.startswith("dumpable:")]
    assert answers == ["dumpable: 0"] * processes


INHERITED = {
    "ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE", "ONEDNN_MAX_CPU_ISA": "SSE41", "OMP_NUM_THREADS": "2",
    "MKL_NUM_THREADS": "2", "OMP_THREAD_LIMIT": "1", "OPENBLAS_CORETYPE": "Nehalem",
    "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
}  # fmt: skip


def test_what_the_environment_says_of_processors_and_threads_does_not_change_the_model(tmp_path: Path) -> None:
    made: list[str] = []
    for environment in ({}, INHERITED):
        events, exit_code, printed = run_cold(
            request(tmp_path / str(len(made)), job={"epochs": 20}), environment=environment
        )
        assert exit_code == 0, printed
        made.append(events[-1]["content_digest"])

    assert made[0] == made[1]


NO_TEMPORARY_FOLDER = """
import runpy, tempfile
tempfile.tempdir = "/nowhere"
runpy.run_module("training", run_name="__main__", alter_sys=True)
"""


def test_what_the_system_refuses_is_an_error_with_a_way_out_and_no_trace(tmp_path: Path) -> None:
    events, exit_code, printed = run_cold(request(tmp_path / "store"), program=NO_TEMPORARY_FOLDER)

    assert (exit_code, printed) == (1, "")
    assert events[-1]["event"] == "error"
    assert "No such file or directory (/nowhere/" in events[-1]["message"]
    assert "pulumi up" in events[-1]["hint"]


def test_the_events_descriptor_must_be_open() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "training", "--events", "77"], cwd=PROJECT_ROOT, input="", capture_output=True, text=True
    )  # fmt: skip

    assert ran.returncode == 2
    assert "--events is 77" in ran.stderr


def start_cold(
    asked: object,
    *,
    program: str | None = None,
    environment: dict[str, str] | None = None,
    folder: Path | None = None,
    inherited: tuple[int, ...] = (),
    printed: int = subprocess.DEVNULL,
) -> tuple["subprocess.Popen[bytes]", int]:
    """`python -m training`, or `program` that runs it, its standard input left open; and the events' reading end."""
    line, code_folder = sent(asked)
    reading, writing = os.pipe()
    command = ["-m", "training"] if program is None else ["-c", program]
    process = subprocess.Popen(
        [sys.executable, *command, "--events", str(writing)],
        cwd=folder or code_folder, env=os.environ | {"PYTHONPATH": str(PROJECT_ROOT)} | (environment or {}),
        stdin=subprocess.PIPE, stdout=printed, stderr=subprocess.STDOUT, pass_fds=(writing, *inherited),
    )  # fmt: skip
    os.close(writing)
    assert process.stdin is not None
    process.stdin.write(line)
    process.stdin.flush()
    return process, reading


def run_cold(asked: object, **options: Any) -> tuple[list[Event], int, str]:
    """Events, exit code and what was printed."""
    with tempfile.TemporaryFile() as printed:
        process, reading = start_cold(asked, printed=printed.fileno(), **options)
        with os.fdopen(reading, "rb") as stream:
            events = [json.loads(line) for line in stream]
        exit_code = process.wait(30)
        process.communicate()
        printed.seek(0)
        return events, exit_code, printed.read().decode()


def test_what_code_reads_by_a_computed_path_is_said_since_no_digest_counts_it(tmp_path: Path, output: Path) -> None:
    for name in ("counted.txt", "computed.txt"):
        (tmp_path / name).write_text("x")
    reads = "open('counted.txt'); open('comp' + 'uted.txt'); open(__file__)"
    job = own_code(tmp_path, in_constructor=reads.replace("open('", f"open('{tmp_path}/' + '")) | {"epochs": 1}

    training = Training(request(tmp_path / "store", job=job, code_folder=str(tmp_path)), output)

    assert training.result()["epochs_run"] == 1
    warnings = [event["message"] for event in training.events if event.get("level") == "warning"]
    assert [message for message in warnings if "reads computed.txt, which no digest covers" in message] != []
