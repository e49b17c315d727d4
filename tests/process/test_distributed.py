"""Several processes on one run: the model that one makes, up to rounding, and a lost one is made up for."""

import base64
import contextlib
import datetime
import os
import pickle
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from tests.process.listeners import Listener, listeners
from tests.process.training_process import RUN_ID, Event, Training, opened, request, training_epoch, warm


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

    assert any("continuing after epoch" in event.get("message", "") for event in training.events)
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


def lose_the_model(store: Path, result: Event) -> None:
    (store / "payloads" / result["artifact_id"]).unlink()


def damage_the_record(store: Path, result: Event) -> None:
    (record,) = (store / "records").iterdir()
    record.write_bytes(bytes(byte ^ 1 for byte in record.read_bytes()))


@pytest.mark.parametrize("harm", [lose_the_model, damage_the_record])
def test_what_the_store_has_lost_is_made_anew_by_all(
    tmp_path: Path, output: Path, harm: Callable[[Path, Event], None]
) -> None:
    asked = request(tmp_path / "store", job=job(3, 2))
    first = Training(asked, output).result()
    harm(tmp_path / "store", first)

    training = Training(asked, output)
    second = training.result()

    assert second["content_digest"] == first["content_digest"]
    assert second["artifact_id"] != first["artifact_id"]
    opened(tmp_path / "store", second)
    assert [event["level"] for event in training.events if event["event"] == "log"].count("warning") == 1


@contextlib.contextmanager
def ended(training: Training) -> Iterator[None]:
    """Cancels the run at the end of the block, however that came."""
    try:
        yield
    finally:
        training.signal(signal.SIGTERM)
        code = training.wait()
    assert code == 130


def listeners_of_a_run(training: Training) -> set[Listener]:
    """All that a run of two workers listened on, from its start to the third epoch."""
    assert training.process.pid is not None
    found = set[Listener]()
    while not any(map(training_epoch(3), training.events)):
        found |= listeners(training.process.pid)
        assert training.process.is_alive()
        time.sleep(0.01)
    return found | listeners(training.process.pid)


SEEN_BY_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="sockets of a process that is not dumpable: root sees them")


@SEEN_BY_ROOT
def test_nobody_outside_the_machine_reaches_a_listener_of_the_run(tmp_path: Path, output: Path) -> None:
    training = Training(request(tmp_path / "store", job=job(1_000_000, 2)), output)
    with ended(training):
        found = listeners_of_a_run(training)

    assert [one for one in found if one.kind == "tcp"], "gloo listens on loopback; was anything looked at?"
    assert [one for one in found if one.is_reached_by_others] == []


def test_the_test_of_listeners_finds_those_of_all_interfaces() -> None:
    families = ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::"))
    for family, address in families:
        with socket.socket(family) as open_to_all, socket.socket(socket.AF_UNIX) as abstract:
            open_to_all.bind((address, 0))
            open_to_all.listen()
            abstract.bind(f"\0sealift-{os.getpid()}")
            abstract.listen()

            found = listeners(os.getpid())

        assert {one.kind for one in found if one.is_reached_by_others} >= {"unix", "tcp" + "6" * (":" in address)}


class Attack:
    """A pickle that makes a file where it is opened."""

    def __init__(self, trace: Path) -> None:
        self._trace = trace

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self._trace}",)


def attack(port: int, state: str) -> None:
    """torchrun's rendezvous unpickles the state that any client sets under the run's id."""
    from torch.distributed import TCPStore  # type: ignore[attr-defined]

    store = TCPStore("localhost", port, is_master=False, timeout=datetime.timedelta(seconds=5))
    store.set(f"torch.rendezvous.{RUN_ID[:16]}", state)


@SEEN_BY_ROOT
def test_what_is_put_at_a_listener_of_the_run_is_never_unpickled(tmp_path: Path, output: Path) -> None:
    trace = tmp_path / "code-ran"
    state = base64.b64encode(pickle.dumps(Attack(trace))).decode()
    training = Training(request(tmp_path / "store", job=job(1_000_000, 2)), output)
    with ended(training):
        ports = {one.port for one in listeners_of_a_run(training) if one.kind.startswith("tcp")}
        attackers = [warm.Process(target=attack, args=(port, state)) for port in ports]
        for attacker in attackers:
            attacker.start()
        reached = training.events[-1].get("epoch", 0)
        for attacker in attackers:
            attacker.join(7)  # what does not speak a store's protocol never answers; torchrun looks every five seconds
            attacker.kill()
        assert training.process.is_alive()
        assert training.until(training_epoch(reached + 1))
        assert not trace.exists()
