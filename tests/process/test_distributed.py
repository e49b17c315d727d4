"""Several processes on one run: the model that one makes, up to rounding, and a lost one is made up for."""

import os
import signal
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from tests.process.training_process import Training, opened, request, training_epoch


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "printed"


def job(epochs: int, processes: int, **more: object) -> dict[str, object]:
    return {"epochs": epochs, "compute": {"processes": processes}, **more}


def workers(training: Training) -> list[int]:
    """Process ids of the workers, in the order they were started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
            line = (stat.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == training.process.pid and b"spawn_main" in line:
            found.append(int(stat.parent.name))
    return sorted(found)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"batchSize": 7, "accumulateSteps": 3},
        {"dataset": "iris", "batchSize": 7, "classWeights": {"setosa": 9, "virginica": 0.1}},
    ],
    ids=str,
)
def test_two_processes_make_the_model_that_one_makes_up_to_rounding(
    tmp_path: Path, output: Path, settings: dict[str, object]
) -> None:
    alone = Training(request(tmp_path / "one", job=job(3, 1, **settings)), output).result()
    first = Training(request(tmp_path / "two", job=job(3, 2, **settings)), output).result()

    models = [opened(tmp_path / name, result)[0] for name, result in (("one", alone), ("two", first))]
    rows = np.array(alone["example"]["inputs"], np.float32)
    answers = [onnxruntime.InferenceSession(model).run(None, {"input": rows})[0] for model in models]
    assert np.allclose(answers[0], answers[1], rtol=1e-4)
    assert "Traceback" not in output.read_text()


def test_a_lost_worker_makes_all_go_on_from_the_last_checkpoint(tmp_path: Path, output: Path) -> None:
    steps = job(300, 2, batchSize=256)  # few of them in an epoch: processes that wait for each other are slow
    calm = Training(request(tmp_path / "calm", job=steps), output).result()
    training = Training(request(tmp_path / "store", job=steps, checkpoint_seconds=0), output)
    assert training.until(training_epoch(2))  # told after the first epoch's checkpoint
    lost = workers(training)
    assert len(lost) == 2
    os.kill(lost[1], signal.SIGKILL)

    result = training.result()

    assert any("going on after epoch" in event.get("message", "") for event in training.events)
    assert result["content_digest"] == calm["content_digest"]


def test_a_cancel_stops_all_and_keeps_the_checkpoint(tmp_path: Path, output: Path) -> None:
    asked = request(tmp_path / "store", job=job(1_000_000, 2))
    training = Training(asked, output)
    assert training.until(training_epoch(5))
    mine = workers(training)
    training.signal(signal.SIGTERM)

    assert training.wait() == 130
    assert [pid for pid in mine if Path(f"/proc/{pid}").exists()] == []
    assert list((tmp_path / "store" / "records").iterdir())


def test_what_is_wrong_with_the_run_is_said_once_and_not_tried_again(tmp_path: Path, output: Path) -> None:
    training = Training(request(tmp_path / "store", job=job(3, 2, learningRate=1000.0)), output)

    assert training.wait() == 1
    assert [event["event"] for event in training.events].count("error") == 1
    assert "NaN" in training.last["message"]
