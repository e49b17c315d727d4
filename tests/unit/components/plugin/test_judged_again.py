"""A change of what is asked of a model, and of nothing that shapes it: judged and reported, never trained.

The training process is a double that answers from the store as a real one would; the whole is in tests/engine.
"""

import asyncio
import base64
from pathlib import Path
from typing import Any, cast

import pytest

from components.plugin.launcher import Submission
from components.plugin.training_run import REPORT_OUTPUTS, TrainingRunResource
from sealift.provider import UNKNOWN, CheckRequest, CreateRequest, PluginError, Properties, ResourceLog, UpdateRequest
from sealift.sealing import record_key, seal, seal_record
from sealift.stores import MANIFESTS, RECORDS, Store, open_store, put_artifact, version_of
from tests.keys import key_pair
from tests.unit.components.plugin.fake_launcher import FakeLauncher
from training.checkpoint import SealedRecord, encode
from training.events import ErrorEvent, Event, ResultEvent

STORE_KEY = bytes(range(32))
URN = "urn:pulumi:dev::p::sealift:index:TrainingRun::run"
CHANGES: dict[str, dict[str, Any]] = {
    "contact": {"modelCard": {"contact": "ada@example.org"}},
    "gate": {"gates": {"metrics": {"r2": {"minimum": 0.1}}}},
    "missing": {"quality": {"maximumMissing": 0.5}},
    "folder": {"modelPath": "nets"},
}


class Log:
    def __init__(self) -> None:
        self.said: list[str] = []

    async def status(self, message: str) -> None:
        self.said.append(message)

    async def say(self, severity: str, message: str) -> None:
        self.said.append(message)


class Trainer:
    """Trains a run once, and reports each time; a gate above 0.5 is not met."""

    def __init__(self, store: Store) -> None:
        self._store, self.models, self.trained = store, dict[str, dict[str, Any]](), 0

    def tell(self, submission: Submission) -> list[Event]:
        request = submission.request
        run_id = request.run_id
        reused = run_id in self.models
        if not reused:
            self.trained += 1
            self.models[run_id] = self._sealed()
            result = {"artifact_id": self.models[run_id]["artifactId"]}
            record = seal_record(record_key(STORE_KEY, run_id), run_id, *encode(SealedRecord(result, {}, b"")))
            self._store.swap(RECORDS, run_id, record, version_of(self._store, RECORDS, run_id))
        model, report = self.models[run_id], self._sealed()
        gate = request.job.gates.metrics.get("r2")
        if gate is not None and (gate.minimum or 0) > 0.5:
            told = {"artifact_id": report["artifactId"], "payload_digest": report["digest"]}
            return [ErrorEvent("its gates refuse the model", "hint", told | {"of": model["artifactId"]})]
        result = {
            "artifact_id": model["artifactId"], "payload_digest": model["digest"], "payload_size": 1,
            "manifest": model["manifest"], "content_digest": "ab" * 32, "metrics": {"r2": 0.4}, "example": {},
            "epochs_run": 1, "stop_reason": "epochs", "duration_seconds": 1.0, "model_bytes": 1, "rows": 442,
            "report_artifact_id": report["artifactId"], "report_payload_digest": report["digest"],
            "report_manifest": report["manifest"], "energy_joules": 1.0, "energy_source": "a test", "reused": reused,
        }  # fmt: skip
        return [ResultEvent(result)]

    def _sealed(self) -> dict[str, Any]:
        artifact = seal(b"content", {}, [key_pair().recipient])
        put_artifact(self._store, artifact.artifact_id, artifact.payload, artifact.manifest)
        digest, manifest = artifact.payload_digest, artifact.manifest.decode()
        return {"artifactId": artifact.artifact_id, "digest": digest, "manifest": manifest}


class Deployed:
    """A resource that is there, over a store of its own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(folder)
        (folder / "nets").mkdir()
        self.store = open_store(f"file://{folder / 'store'}")
        self.trainer, self.log = Trainer(self.store), Log()
        self.resource = TrainingRunResource(FakeLauncher(self.trainer.tell))
        self.inputs = self.checked()
        request = CreateRequest(urn=URN, log=cast(ResourceLog, self.log), cancelled=asyncio.Event(), inputs=self.inputs)
        created = asyncio.run(self.resource.create(request))
        self.id, self.state = created.id, created.state
        self.log.said.clear()

    def checked(self, **changed: Any) -> Properties:
        given: Properties = {
            "storeUrl": f"file://{self.store.location}", "recipients": [key_pair().recipient.pem],
            "storeKey": base64.b64encode(STORE_KEY).decode(), "retention": "delete", **changed,
        }  # fmt: skip
        response = asyncio.run(self.resource.check(CheckRequest(URN, {}, given)))
        assert response.failures == []
        return response.inputs

    def update(self, *, preview: bool = False, **changed: Any) -> Properties:
        request = UpdateRequest(
            urn=URN, log=cast(ResourceLog, self.log), cancelled=asyncio.Event(), preview=preview, id=self.id,
            old_inputs=self.inputs, new_inputs=self.checked(**changed), state=self.state,
        )  # fmt: skip
        return asyncio.run(self.resource.update(request)).state


@pytest.fixture
def deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deployed:
    return Deployed(tmp_path, monkeypatch)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_preview_says_so_and_knows_all_but_the_report(deployed: Deployed, change: dict[str, Any]) -> None:
    planned = deployed.update(preview=True, **change)

    (said,) = deployed.log.said
    artifact, (name,) = deployed.state["artifactId"], change
    assert said == (
        f"will check the sealed artifact {artifact} of net on diabetes again and rewrite its report, without training, "
        f"because {name} changed"
    )
    assert {one for one, value in planned.items() if value == UNKNOWN} == set(REPORT_OUTPUTS)
    assert planned["manifest"] == deployed.state["manifest"]


def test_a_preview_of_a_rotation_together_with_another_training_says_what_comes(deployed: Deployed) -> None:
    planned = deployed.update(preview=True, recipients=UNKNOWN, openingKeys=UNKNOWN, learningRate=0.5)

    (said,) = deployed.log.said
    assert said.startswith("will train net on diabetes, because ") and "learningRate" in said
    assert planned["artifactId"] == planned["manifest"] == UNKNOWN


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_update_keeps_the_model_and_its_old_report_goes(deployed: Deployed, change: dict[str, Any]) -> None:
    before = deployed.state

    after = deployed.update(**change)

    assert deployed.trainer.trained == 1
    assert after["artifactId"] == before["artifactId"]
    assert after["reportArtifactId"] != before["reportArtifactId"]
    assert set(deployed.store.names(MANIFESTS)) == {after["artifactId"], after["reportArtifactId"]}


def test_a_stricter_gate_fails_the_update_and_what_is_served_stays(deployed: Deployed) -> None:
    records = deployed.store.names(RECORDS)

    with pytest.raises(PluginError, match="its gates refuse the model"):
        deployed.update(gates={"metrics": {"r2": {"minimum": 0.9}}})
    assert {deployed.state["artifactId"], deployed.state["reportArtifactId"]} < set(deployed.store.names(MANIFESTS))
    deployed.update(seed=3, retention="keep")

    assert set(records) < set(deployed.store.names(RECORDS)), "the served model's record is no refused run's"


def test_a_model_whose_record_is_gone_is_trained_anew_and_the_preview_says_why(deployed: Deployed) -> None:
    deployed.store.delete(RECORDS, str(deployed.state["runId"]))

    planned = deployed.update(preview=True, **CHANGES["contact"])

    (said,) = deployed.log.said
    assert said == (
        "will train net on diabetes, because modelCard changed, and the store has no record of the run, which checking "
        "the model again would need"
    )
    assert planned["artifactId"] == UNKNOWN


def test_what_shapes_the_model_trains_it(deployed: Deployed) -> None:
    deployed.update(learningRate=0.5, **CHANGES["gate"])

    assert deployed.trainer.trained == 2
