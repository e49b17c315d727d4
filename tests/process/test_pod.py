"""Training in a pod: a machine that has the run's own files and record by signed URLs, and nothing else."""

import base64
import hashlib
import json
import os
import secrets
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sealift.sealing import open_record
from sealift.stores import INPUTS, RECORDS, Store, get_record, open_store, sign_url
from tests.keys import key_pair
from tests.object_store import ObjectStore
from tests.process.training_process import RUN_ID, RUN_KEY, Training, request
from training import parcel
from training.checkpoint import Record, TrainedRecord, TrainingRecord, decode
from training.events import DescentEvent, ErrorEvent, Event, LogEvent, read_event
from training.job import Job, processor
from training.pod_access import ACCESS_FILE, PodAccess, write_access
from training.process import COMMAND, environment
from training.request import RunRequest, write_request

SECONDS = 120
MEETING = RUN_ID + "01"


@pytest.fixture
def store(object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> Store:
    for name, value in object_store.variables.items():
        monkeypatch.setenv(name, value)
    return open_store(f"{object_store.url}/{secrets.token_hex(8)}")


@dataclass
class Pod:
    """A folder as a pod has it. `files` are the program's."""

    store: Store
    folder: Path
    files: Path

    def access(self, job: Job, planned: str | None = None) -> PodAccess:
        asked = RunRequest(
            job=job, store_url="s3://elsewhere", run_key=RUN_KEY, run_id=RUN_ID, checkpoint_seconds=0,
            recipients=(key_pair().recipient.pem,), processor=planned,
        )  # fmt: skip
        with self.store.create(INPUTS, RUN_ID) as file:
            parcel.pack(parcel.find_files(job, self.files), RUN_KEY, RUN_ID, file.write)
        return PodAccess(
            request=write_request(asked).decode(),
            parcel_url=sign_url(self.store, INPUTS, RUN_ID, "GET"),
            record_get_url=sign_url(self.store, RECORDS, RUN_ID, "GET"),
            record_put_url=sign_url(self.store, RECORDS, RUN_ID, "PUT"),
            meeting_get_url=sign_url(self.store, INPUTS, MEETING, "GET"),
            meeting_put_url=sign_url(self.store, INPUTS, MEETING, "PUT"),
        )

    def start(self, access: PodAccess, node: int = 0) -> subprocess.Popen[bytes]:
        work, secret = self.folder / secrets.token_hex(4), self.folder / secrets.token_hex(4)
        work.mkdir(parents=True)
        secret.mkdir()
        (secret / ACCESS_FILE).write_bytes(write_access(access))
        bare = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        bare |= {"JOB_COMPLETION_INDEX": f"{node}", "SEALIFT_POD_ADDRESS": "127.0.0.1"}
        return subprocess.Popen(
            [*COMMAND, "pod", str(secret)], cwd=work, env=environment(bare), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, access: PodAccess) -> tuple[int, list[Event], str]:
        """Exit code, events and what the user's code printed."""
        process = self.start(access)
        output, printed = process.communicate(timeout=SECONDS)
        events = [read_event(line) for line in output.splitlines()]
        assert None not in events, output
        return process.returncode, [event for event in events if event is not None], printed.decode()

    def record(self) -> Record:
        found = get_record(self.store, RUN_ID)
        assert found is not None
        return decode(open_record(RUN_KEY, RUN_ID, found.content))

    def model_digest(self) -> str:
        record = self.record()
        assert isinstance(record, TrainedRecord)
        return hashlib.sha256(record.model).hexdigest()


def epochs_done(line: bytes) -> int:
    """Number of epochs that an event tells. Progress is told four times a second, so any number may be the first."""
    event = read_event(line)
    return event.epoch if isinstance(event, DescentEvent) else 0


@pytest.fixture
def pod(store: Store, tmp_path: Path) -> Pod:
    files = tmp_path / "program"
    files.mkdir()
    return Pod(store, tmp_path / "pod", files)


@pytest.mark.parametrize("settings", [{"epochs": 3}, {"epochs": 2, "compute": {"processes": 2}}], ids=str)
def test_the_model_is_the_one_that_this_machine_makes(pod: Pod, tmp_path: Path, settings: Mapping[str, object]) -> None:
    job, problems = Job.validate(settings)
    assert job is not None, problems

    code, events, printed = pod.run(pod.access(job))

    assert (code, [one for one in events if isinstance(one, ErrorEvent)]) == (0, []), printed
    local = Training(request(tmp_path / "store", job=settings), tmp_path / "printed").result()
    assert pod.model_digest() == local["content_digest"]


def test_code_and_data_of_the_user_come_along(pod: Pod, tmp_path: Path) -> None:
    (pod.files / "models").mkdir()
    (pod.files / "models" / "mine.py").write_text(
        "import torch\nprint('hello from the model')\n\n\nclass Net(torch.nn.Sequential):\n"
        "    def __init__(self):\n        super().__init__(torch.nn.Linear(2, 1))\n"
    )
    rows = "".join(f"{number * 1.5},{number % 7},{number * number % 11 + number / 7}\n" for number in range(60))
    (pod.files / "rows.csv").write_text(f"a,b,target\n{rows}")
    (pod.files / ".env").write_text("PASSWORD=not-of-the-run\n")
    settings = {"dataset": "rows.csv", "model": "mine:Net", "epochs": 1, "data": {"target": "target"}}
    job, problems = Job.validate(settings, pod.files)
    assert job is not None, problems
    assert [*parcel.find_files(job, pod.files)] == ["models/mine.py", "rows.csv"]

    code, events, printed = pod.run(pod.access(job))

    assert code == 0, events
    assert "hello from the model" in printed
    local = Training(request(tmp_path / "store", job=settings, code_folder=pod.files), tmp_path / "printed").result()
    assert pod.model_digest() == local["content_digest"]


def test_a_pod_that_is_told_to_end_keeps_its_checkpoint_and_another_goes_on(pod: Pod, tmp_path: Path) -> None:
    settings = {"epochs": 200, "batchSize": 4}
    job, _ = Job.validate(settings)
    assert job is not None
    access = pod.access(job)
    process = pod.start(access)
    assert process.stdout is not None
    for line in process.stdout:
        if epochs_done(line) >= 2:  # an earlier one is saved
            process.send_signal(signal.SIGTERM)
            break
    process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    assert isinstance(pod.record(), TrainingRecord)

    code, events, _ = pod.run(access)

    assert code == 0
    assert any("continuing after epoch" in event.message for event in events if isinstance(event, LogEvent))
    local = Training(request(tmp_path / "store", job=settings), tmp_path / "printed").result()
    assert pod.model_digest() == local["content_digest"]


def test_two_pods_make_the_model_that_two_processes_of_this_machine_make(pod: Pod, tmp_path: Path) -> None:
    place = {"kind": "job", "image": "python", "nodes": 2}
    job, problems = Job.validate({"epochs": 2, "compute": {"processes": 2, **place}})
    assert job is not None, problems
    access = pod.access(job)

    second = pod.start(access, node=1)  # waits for the first
    code, events, printed = pod.run(access)
    said = second.communicate(timeout=SECONDS)

    assert (code, second.returncode) == (0, 0), (events, printed, said)
    settings = {"epochs": 2, "compute": {"processes": 2}}
    local = Training(request(tmp_path / "store", job=settings), tmp_path / "printed").result()
    assert pod.model_digest() == local["content_digest"]


def test_a_run_that_is_already_trained_is_not_trained_again(pod: Pod) -> None:
    job, _ = Job.validate({"epochs": 1})
    assert job is not None
    access = pod.access(job)
    assert pod.run(access)[0] == 0
    before = get_record(pod.store, RUN_ID)

    code, events, _ = pod.run(access)

    assert code == 0
    assert not any("training" in getattr(event, "message", "") for event in events)
    assert get_record(pod.store, RUN_ID) == before


def test_refused_access_is_an_error_that_shows_no_secret(pod: Pod) -> None:
    job, _ = Job.validate({"epochs": 1})
    assert job is not None
    access = pod.access(job)
    broken = replace(access, record_get_url=access.record_get_url.replace("Signature=", "Signature=0"))

    code, events, printed = pod.run(broken)

    (error,) = [one for one in events if isinstance(one, ErrorEvent)]
    assert code == 1
    assert "refused access to a file of the run: it answered 403" in error.message
    said = f"{events}{printed}"
    assert "Signature" not in said
    assert base64.b64encode(RUN_KEY).decode() not in said


def test_a_node_with_another_processor_than_planned_is_refused(pod: Pod) -> None:
    job, _ = Job.validate({"epochs": 1, "compute": {"kind": "job", "image": "python"}})
    assert job is not None

    code, events, _ = pod.run(pod.access(job, planned="GenuineIntel x86-32"))

    (error,) = [one for one in events if isinstance(one, ErrorEvent)]
    here = processor(job)
    assert code == 1
    assert error.message == f"processor changed since the run was planned, from GenuineIntel x86-32 to {here}"
    assert error.hint == f"set compute.processor to {here!r}, or choose nodes of the planned kind"


def test_an_altered_parcel_is_refused(pod: Pod) -> None:
    job, _ = Job.validate({"epochs": 1})
    assert job is not None
    access = pod.access(job)
    parcel_size = pod.store.stat(INPUTS, RUN_ID).size_bytes
    altered = bytearray(pod.store.get(INPUTS, RUN_ID))
    altered[parcel_size // 2] ^= 1
    pod.store.delete(INPUTS, RUN_ID)
    pod.store.put(INPUTS, RUN_ID, altered)

    code, events, _ = pod.run(access)

    (error,) = [one for one in events if isinstance(one, ErrorEvent)]
    assert (code, "not authentic" in error.message or "differs" in error.message) == (1, True), error


def test_a_file_outside_the_program_is_not_sent(pod: Pod, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a,target\n1,2\n3,4\n")
    job, problems = Job.validate({"dataset": "../rows.csv", "data": {"target": "target"}}, pod.files)
    assert job is not None, problems
    with pytest.raises(Exception, match="is outside the program's folder"):
        parcel.find_files(job, pod.files)


def test_the_access_shows_no_secret_in_its_repr(pod: Pod) -> None:
    job, _ = Job.validate({"epochs": 1})
    assert job is not None
    access = pod.access(job)
    said = repr(access)
    assert not any(str(value) in said for value in vars(access).values())
    assert json.loads(write_access(access)).keys() == {
        "request", "parcelUrl", "recordGetUrl", "recordPutUrl", "meetingGetUrl", "meetingPutUrl",
    }  # fmt: skip
