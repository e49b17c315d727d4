"""Each example trains on the real engine, by its own Pulumi.yaml, and its sealed model answers in the server."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from sealing import RsaIdentity, open_artifact
from sealing.manifest import parse_manifest
from serving.model import Model
from serving.tensor import KINDS
from stores import get_manifest, get_payload, open_store
from tests.stack import PROJECT_ROOT, Stack

LEAST = {
    "vision": ("accuracy", 0.95),
    "language": ("accuracy", 0.9),
    "recommendation": ("r2", 0.7),
    "voice": ("accuracy", 0.9),
}
"""What each must reach on rows that it never saw; its README says what it does reach."""


def example_stack(name: str, tmp_path: Path) -> Stack:
    """The example's own project file, in a folder where its stack can be kept."""
    folder = tmp_path / "project"
    folder.mkdir()
    project = yaml.safe_load((PROJECT_ROOT / "examples" / name / "Pulumi.yaml").read_text())
    project["main"] = str(PROJECT_ROOT)
    project["runtime"]["options"]["virtualenv"] = str(Stack.virtualenv())
    project["plugins"]["providers"][0]["path"] = str(PROJECT_ROOT / "components" / "plugin")
    project["config"]["store"]["value"] = {"url": f"file://{tmp_path / 'store'}"}
    project["config"]["training"]["value"]["exposeMetrics"] = True
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(project))
    stack = Stack(folder, name="dev", home=tmp_path)
    stack.init()
    return stack


def test_every_example_is_tested_here() -> None:
    assert {path.parent.name for path in (PROJECT_ROOT / "examples").glob("*/Pulumi.yaml")} == LEAST.keys()


@pytest.mark.parametrize("name", LEAST)
def test_an_example_trains_and_its_sealed_model_answers(engine: str, name: str, tmp_path: Path) -> None:
    assert shutil.which(engine)
    stack = example_stack(name, tmp_path)

    stack.up(*(f"--target=**{kind}**" for kind in ("EncryptedArtifactStore", "SealingKey", "TrainingRun"))).ok()

    outputs = stack.outputs(secrets=True)
    metric, least = LEAST[name]
    assert outputs["metrics"][metric] >= least
    store = open_store(f"file://{tmp_path / 'store'}")
    artifact_id = outputs["artifactId"]
    manifest = get_manifest(store, artifact_id)
    opened = open_artifact(
        manifest, get_payload(store, artifact_id), RsaIdentity(outputs["privateKey"]),
        artifact_id=artifact_id, payload_digest=parse_manifest(manifest).payload_digest,
    )  # fmt: skip
    model = Model(bytes(opened.model), opened.description)
    rows = np.array(outputs["example"]["inputs"], KINDS[model.inputs["input"].datatype])
    (answer,) = model.run({"input": rows}, list(model.outputs)).values()
    assert np.allclose(answer, outputs["example"]["expected"], rtol=1e-5)
