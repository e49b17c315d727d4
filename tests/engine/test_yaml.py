"""A program in YAML on the real engine: the schema binds, secrets and numbers arrive right, a change trains."""

import json
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest
import yaml

from tests.stack import PROJECT_ROOT, Stack

PLUGIN = PROJECT_ROOT / "components" / "plugin"
PROGRAM = {
    "name": "yaml-test",
    "runtime": "yaml",
    "plugins": {"providers": [{"name": "sealift", "path": str(PLUGIN)}]},
    "config": {"epochs": {"type": "integer", "default": 2}},
    "resources": {
        "store": {
            "type": "sealift:index:EncryptedArtifactStore",
            "properties": {"url": "file://${pulumi.cwd}/store", "retention": "delete"},
        },
        "training": {
            "type": "sealift:index:TrainingRun",
            "properties": {
                "storeUrl": "${store.url}",
                "storeKey": "${store.storeKey}",
                "recipients": "${store.recipients}",
                "openingKeys": "${store.openingKeys}",
                "retention": "${store.retention}",
                "epochs": "${epochs}",
                "schedule": {"kind": "cosine"},
            },
        },
        "again": {  # an int and a secret of one resource as inputs of another
            "type": "sealift:index:TrainingRun",
            "properties": {
                "storeUrl": "${store.url}",
                "storeKey": "${store.storeKey}",
                "recipients": ["${store.publicKey}"],
                "retention": "delete",
                "epochs": "${training.epochsRun}",
                "seed": 1,
            },
        },
    },
    "outputs": {
        "epochs": "${again.epochsRun}",
        "artifact": "${training.artifactId}",
        "metrics": "${training.metrics}",
        "privateKey": "${store.privateKey}",
    },
}


@pytest.fixture
def stack(engine: str, tmp_path: Path) -> Stack:
    if shutil.which("pulumi-language-yaml") is None:
        pytest.skip("a YAML program needs pulumi-language-yaml: `make test` builds it")
    folder = tmp_path / "program"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(PROGRAM))
    stack = Stack(folder, name="dev", home=tmp_path)
    stack.init()
    return stack


def edit(stack: Stack, resource: str, name: str, value: object) -> None:
    program = yaml.safe_load((stack.folder / "Pulumi.yaml").read_text())
    program["resources"][resource]["properties"][name] = value
    (stack.folder / "Pulumi.yaml").write_text(yaml.safe_dump(program))


def test_a_yaml_program_goes_through_preview_up_change_and_destroy(stack: Stack) -> None:
    assert "5 to create" in stack.preview().ok().text
    up = stack.up().ok()
    before, shown = stack.outputs(secrets=True), stack.outputs()

    assert before["epochs"] == 2
    assert before["privateKey"].startswith("-----BEGIN PRIVATE KEY-----")
    assert shown["privateKey"] == shown["metrics"] == "[secret]"
    for secret in (before["privateKey"], json.dumps(before["metrics"])):
        assert secret not in up.text
        assert secret not in stack.exported()
    stack.up("--expect-no-changes").ok()

    edit(stack, "training", "learningRate", 0.02)
    assert "will train net on diabetes, because learningRate changed" in stack.preview().ok().text
    stack.up().ok()

    assert stack.outputs()["artifact"] != before["artifact"]
    stack.destroy().ok()
    assert list((stack.folder / "store").glob("manifests/*")) == []


def test_a_yaml_program_s_mistakes_are_told_by_property(stack: Stack) -> None:
    edit(stack, "store", "retention", "forever")

    said = stack.preview().failed().text

    assert "retention is 'forever'; allowed: 'keep', 'delete'" in said


def test_get_schema_prints_what_stands_in_the_snapshot(engine: str, tmp_path: Path) -> None:
    stack = Stack(tmp_path, name="none", home=tmp_path)

    ran = subprocess.run(
        [engine, "package", "get-schema", str(PLUGIN / "pulumi-resource-sealift")],
        cwd=tmp_path, env=stack.full_environment, capture_output=True, text=True,
    )  # fmt: skip

    assert ran.returncode == 0, ran.stderr
    printed, kept = json.loads(ran.stdout), json.loads((PLUGIN / "schema.json").read_text())
    assert printed["resources"].keys() == kept["resources"].keys()
    for token, resource in kept["resources"].items():
        assert printed["resources"][token]["inputProperties"].keys() == resource["inputProperties"].keys()
        for described in (*resource["inputProperties"].values(), *resource["properties"].values()):
            assert described["description"].endswith(".")


def test_the_page_s_program_goes_through_a_preview(stack: Stack) -> None:
    text = (PROJECT_ROOT / "docs" / "how-to" / "other-languages.md").read_text()
    block = text[text.index("    name: my-models") :].partition("\n\n")[0]
    program = yaml.safe_load(textwrap.dedent(block))
    program["name"] = PROGRAM["name"]
    program["plugins"] = PROGRAM["plugins"]
    (stack.folder / "Pulumi.yaml").write_text(yaml.safe_dump(program))

    assert "4 to create" in stack.preview().ok().text
