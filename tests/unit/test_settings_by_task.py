"""The pages of the settings: every setting in one group, with an example that the config accepts and the effect that a
change has.
"""

import json
import re
import shlex
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from components import container_spec, pod_spec
from components.access_data import access_data
from components.config import merge, parse
from components.object_labels import object_labels
from components.plugin.training_inputs import KEEPING_INPUTS, REQUIREMENTS, RETENTION_INPUTS
from components.plugin.training_run import TrainingRunResource
from components.sections import SECTIONS
from components.server_files import ACCESS, ServerFolder, folders_of
from components.server_version import ServerVersion
from components.settings.container import ContainerSettings
from components.settings.deployment import DeploymentSettings
from components.settings.server import ServerSettings
from docs.settings_by_task import EFFECTS, GROUPS, REMARKS, Declared, Effect, commands, declared, effect
from docs.settings_pages import anchor, index, pages
from sealift.provider import DiffRequest, Properties
from sealift.settings import read
from sealift.settings.read import numbers_read
from sealift.signing import SigningKey
from tests.certificates import self_signed
from tests.documented import PROJECT_ROOT
from tests.keys import key_pair
from tests.unit.test_documented_commands import ENVIRONMENT, stored

DECLARED = [one for section in SECTIONS for one in declared(section)]
SETTINGS = [one for one in DECLARED if one.setting.of is None]
SERVED = [one for one in SETTINGS if one.section in ("deployment", "container")]
EXAMPLES = {
    f"{section}.{path}": example
    for section, groups in GROUPS.items() for examples in groups.values() for path, example in examples.items()
}  # fmt: skip
PEM = self_signed()
SIGNING_KEY = SigningKey.generate()
FILLED_IN = {
    "$(cat server.pem)": PEM.certificate,
    "server-key.pem": PEM.key,
    "$(cat signer.pem.pub)": SIGNING_KEY.signer.pem,
    "signer.pem": SIGNING_KEY.pem,
    "$(cat keys.json)": json.dumps({"keys": []}),
    "$(openssl pkey -in recovery.pem -pubout)": key_pair().recipient.pem,
}
ISSUER = {"issuer": "https://id.example.com/", "audience": ["x"], "jwksUrl": "https://id.example.com/keys"}
TABLE = {"dataset": "data/churn.csv", "data": {"target": "churned"}}
PHOTOS = {"dataset": "data/photos.parquet", "data": {"target": "churned", "image": {"column": "picture"}}}
ARTIFACT = {"artifactId": "ab" * 16, "payloadDigest": "cd" * 32}
BESIDE: dict[str, dict[str, Any]] = {
    "training.dataset": {"data": {"target": "churned"}},
    "training.data": TABLE,
    "training.data.target": {"dataset": "data/churn.csv"},
    "training.data.arguments": {"dataset": "nets:flip"},
    "training.data.image": PHOTOS,
    "training.data.split": {**TABLE, "data": {"target": "churned", "split": {"column": "year"}}},
    "training.source": {"model": "models/churn.onnx"},
    "training.nesterov": {"momentum": 0.9},
    "training.classWeights": {"dataset": "iris"},
    "training.loss": {"dataset": "diabetes"},
    "training.earlyStopping.metric": {"dataset": "iris"},
    "training.search": {"search": {"parameters": {"momentum": {"low": 0.1, "high": 0.9}}}},
    "training.search.metric": {"dataset": "iris", "search": {"parameters": {"momentum": {"low": 0.1, "high": 0.9}}}},
    "training.search.parameters.NAME.low": {"search": {"parameters": {"learningRate": {"low": 0.002, "high": 0.01}}}},
    "training.search.parameters.NAME.high": {"search": {"parameters": {"learningRate": {"low": 0.002, "high": 0.01}}}},
    "training.search.parameters.NAME.log": {"search": {"parameters": {"learningRate": {"low": 0.002, "high": 0.01}}}},
    "training.search.parameters.NAME.choices": {},
    "training.initFrom": {"initFrom": ARTIFACT},
    "training.initFrom.path": {},
    "training.privacy": {"privacy": {"epsilon": 8}},
    "training.privacy.noiseMultiplier": {},
    "training.masking": TABLE,
    "training.quality": TABLE,
    "training.gates": {"dataset": "iris"},
    "training.compress": {"dataset": "iris"},
    **{f"{section}.apiKeys": {"apiKeys": {"app": {"scopes": ["metadata"]}}} for section in ("deployment", "container")},
    "deployment.jwt": {"auth": "jwt", "jwt": ISSUER},
    "deployment.jwt.jwks": {"auth": "jwt", "jwt": {**ISSUER, "jwksUrl": None}},
    "deployment.tracing": {"tracing": {"otlpEndpoint": "http://other:4318"}},
    "container.jwt": {"auth": "jwt", "jwt": ISSUER},
    "container.jwt.jwks": {"auth": "jwt", "jwt": {**ISSUER, "jwksUrl": None}},
    "container.tracing": {"tracing": {"otlpEndpoint": "http://other:4318"}},
}
"""Settings that an example needs beside it, by its full path or that of an object around it."""
STATED = {
    Effect.TRAINS: ("yes", "one layer", "roll"),
    Effect.CHECKS: ("checks the sealed model again", "no", "stay"),
    Effect.WRAPS: ("no", "no", "roll"),
    Effect.RESEALS: ("seals the same model again", "one layer", "roll"),
    Effect.BUILDS: ("no", "yes", "roll"),
    Effect.ROLLS: ("no", "no", "roll"),
    Effect.NOTHING: ("no", "no", "stay"),
}
"""What the table of docs/operations.md says of a change: whether it trains, what it builds, and what the pods do."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A program's folder with everything that the examples name."""
    for name in ("data", "models", "weights", "networks"):
        (tmp_path / name).mkdir()
    (tmp_path / "data" / "churn.csv").write_text("age,churned\n1,0\n")
    for name in ("data/photos.parquet", "models/churn.onnx", "weights/body.safetensors"):
        (tmp_path / name).touch()
    (tmp_path / "models" / "nets.py").write_text("def flip(features, generator):\n    return features\n")
    return tmp_path


def beside(one: Declared) -> dict[str, Any]:
    parts = one.full_path.split(".")
    paths = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((BESIDE[path] for path in paths if path in BESIDE), {})


def changed(one: Declared) -> dict[str, Any]:
    """The section with the example, as its commands write it."""
    found: Any = beside(one)
    for command in commands(one.section, one.path, EXAMPLES[one.full_path]):
        *_, key, value = [word for word in shlex.split(command) if word not in ("--", "<")]
        steps = [int(step) if step.isdigit() else step for step in re.findall(r"[^.\[\]]+", key)]
        found = put(found, steps[1:], stored(FILLED_IN.get(value, value)))
    assert isinstance(found, dict)
    return found


def put(into: Any, steps: list[str | int], value: object) -> Any:
    if not steps:
        return value
    first, *rest = steps
    if isinstance(first, int):
        known = list(into or [])
        return [*known[:first], put(known[first] if first < len(known) else None, rest, value), *known[first + 1 :]]
    return {**(into or {}), first: put((into or {}).get(first), rest, value)}


def test_every_setting_is_in_one_group_with_an_example() -> None:
    grouped = [f"{section}.{path}" for section, groups in GROUPS.items() for of in groups.values() for path in of]

    assert [path for path, count in Counter(grouped).items() if count > 1] == []
    assert sorted(grouped) == sorted(one.full_path for one in SETTINGS)
    assert [
        path for path in (*EFFECTS, *REMARKS) if path not in {*SECTIONS, *(one.full_path for one in DECLARED)}
    ] == []


def test_an_object_s_settings_are_in_one_group() -> None:
    for section, groups in GROUPS.items():
        places: dict[str, set[str]] = {}
        for title, examples in groups.items():
            for path in examples:
                outer, dot, _ = path.partition(".")
                if dot:
                    places.setdefault(outer, set()).add(title)
        assert {outer: titles for outer, titles in places.items() if len(titles) > 1} == {}, section


@pytest.mark.parametrize("one", SETTINGS, ids=lambda one: str(one.full_path))
def test_the_config_accepts_an_example(one: Declared, folder: Path) -> None:
    section = changed(one)

    _, problems = parse({one.section: json.dumps(section)}, ENVIRONMENT, folder)

    assert [str(problem) for problem in problems] == []
    assert section != beside(one)


@pytest.mark.parametrize("one", SETTINGS, ids=lambda one: str(one.full_path))
def test_an_example_sets_the_setting(one: Declared) -> None:
    path = re.escape(one.full_path).replace("NAME", r"\w+")
    typed = shlex.split(" ".join(commands(one.section, one.path, EXAMPLES[one.full_path])))

    assert any(re.fullmatch(rf"{path}([.\[].*)?", word) for word in typed)
    assert "NAME" not in " ".join(typed)


@pytest.mark.parametrize("section", SECTIONS)
def test_a_page_has_one_heading_for_each_setting_and_group(section: str) -> None:
    headings = re.findall(r"^##+ (.+)$", pages()[section], re.MULTILINE)
    anchors = [anchor(heading) for heading in headings]
    linked = re.findall(rf"\(settings/{section}\.md#(\w+)\)", index())

    assert sorted(headings) == sorted([*GROUPS[section], *(one.path for one in DECLARED if one.section == section)])
    assert len(set(anchors)) == len(anchors)
    assert linked == [anchor(one.path) for one in SETTINGS if one.section == section]


def is_of_the_place(path: str) -> bool:
    """Whether the setting says where a run is trained, which is not part of the model."""
    return path.startswith("compute.") and path not in ("compute.processes", "compute.processor")


def test_a_change_of_training_has_the_effect_of_the_plugin() -> None:
    of_training = [one for one in SETTINGS if one.section == "training"]
    keeping = {one.path for one in of_training if one.path in KEEPING_INPUTS or is_of_the_place(one.path)}

    assert {one.path for one in of_training if effect(one) is Effect.NOTHING} == keeping
    checked = {one.path for one in of_training if effect(one) is Effect.CHECKS}
    assert {path.partition(".")[0] for path in checked} == {*REQUIREMENTS, "quality"}
    assert {path for path in checked if path.startswith("quality")} == {
        "quality.maximumMissing", "quality.minimumClassShare", "quality.allow",
    }  # fmt: skip
    assert {effect(one) for one in of_training} == {Effect.NOTHING, Effect.CHECKS, Effect.TRAINS}


def test_a_change_of_the_store_has_the_effect_of_the_plugin() -> None:
    effects = {one.path: effect(one) for one in SETTINGS if one.section == "store"}
    old: Properties = {"storeUrl": "file:///a"}

    difference = TrainingRunResource().diff(DiffRequest(old, {"storeUrl": "file:///b"}))

    assert effects.pop("url") is Effect.TRAINS
    assert difference.replaces == ["storeUrl"]
    for name in (*RETENTION_INPUTS, "keysUrl"):
        assert effects.pop(name) is Effect.NOTHING
        assert name in KEEPING_INPUTS
    assert effects.pop("signingKey") is Effect.NOTHING  # it is an input of ArtifactSignature
    wraps = dict.fromkeys(("key", "rotation", "recipients"), Effect.WRAPS)
    assert effects == wraps | {"reseal": Effect.RESEALS}
    assert template(server("deployment", {})) != template(server("deployment", {}), {"manifest": "other"})


def test_a_change_of_the_image_builds_it() -> None:
    assert {effect(one) for one in SETTINGS if one.section == "image"} == {Effect.BUILDS}


def server(section: str, given: dict[str, Any]) -> Any:
    of = SECTIONS[section]
    known, problems = read(of, numbers_read(of, {"modelName": "diabetes", **given}), section)
    assert [str(one) for one in problems] == []
    return known


def version_of(settings: ServerSettings, inputs: dict[str, str]) -> ServerVersion:
    served = {"image": "i@sha256:" + "a" * 64, "manifest": "m", "privateKey": "k", **ARTIFACT}
    tls = {"tlsCertificate": settings.tls_certificate, "tlsPrivateKey": settings.tls_private_key}
    return ServerVersion("model", {**served, **tls, **inputs})


def access_of(settings: ServerSettings) -> dict[str, object]:
    """As an ApiKey makes its digests: another rotation is another key."""
    keys = settings.valid_api_keys.items()
    return access_data(settings, {name: [f"{name} {key.rotation} {key.overlap}"] for name, key in keys})


def template(settings: DeploymentSettings, inputs: dict[str, str] | None = None) -> Any:
    return deployment(settings, inputs)["template"]


def deployment(settings: DeploymentSettings, inputs: dict[str, str] | None = None) -> Any:
    """The Deployment's spec. An object that the server does not read again gets another name with other contents."""
    version = version_of(settings, inputs or {})

    def object_name(folder: ServerFolder) -> str:
        return folder.name if folder.read_again else f"{folder.name}-{version.contents(folder, {})}"

    return pod_spec.deployment(
        settings,
        version,
        replicas=settings.first_replicas,
        labels=object_labels(version.name, settings.model_name, settings.labels),
        object_names={folder.name: object_name(folder) for folder in folders_of(settings)},
        service_account="model",
    )


def container(settings: ContainerSettings) -> dict[str, object]:
    version, folders = version_of(settings, {}), folders_of(settings)
    access = access_of(settings) if ACCESS in folders else {}
    uploads = container_spec.uploads(version, folders, access)
    return {**container_spec.container(settings, version, stack="p/s"), "uploads": uploads}


@pytest.mark.parametrize("one", [one for one in SERVED if one.section == "deployment"], ids=lambda one: str(one.path))
def test_a_change_rolls_the_pods_if_and_only_if_their_template_changes(one: Declared) -> None:
    before, after = server("deployment", valid_before(one)), server("deployment", changed(one))

    assert before != after
    assert effect(one) is (Effect.NOTHING if template(before) == template(after) else Effect.ROLLS)


@pytest.mark.parametrize("one", [one for one in SERVED if one.section == "container"], ids=lambda one: str(one.path))
def test_a_change_replaces_the_container_unless_only_its_memory_changes(one: Declared) -> None:
    before, after = container(server("container", valid_before(one))), container(server("container", changed(one)))
    differing = {name for name, value in before.items() if value != after[name]}

    assert differing or one.path == "requireSignature"  # it changes what is accepted, not what runs
    assert effect(one) is (Effect.NOTHING if differing <= {"memory", "memory_swap"} else Effect.RECREATES)


def valid_before(one: Declared) -> dict[str, Any]:
    """The section without the example. A server needs one place of the issuer's keys."""
    return merge(beside(one), {"jwt": {"jwksUrl": ISSUER["jwksUrl"]}}) if one.path == "jwt.jwks" else beside(one)  # type: ignore[return-value]


def test_the_remarks_are_true() -> None:
    other = self_signed(2)
    pairs = [{"tlsCertificate": pem.certificate, "tlsPrivateKey": pem.key} for pem in (PEM, other)]
    jwt = {"auth": "jwt", "jwt": ISSUER}
    few, many = (deployment(server("deployment", {"replicas": replicas})) for replicas in (2, 5))

    assert template(server("deployment", pairs[0])) == template(server("deployment", pairs[1]))
    assert template(server("deployment", {"auth": "apiKey"})) == template(server("deployment", jwt))
    assert (few.pop("replicas"), many.pop("replicas"), few == many) == (2, 5, True)
    assert dict(REMARKS) == {
        "deployment.auth": 'A change between "apiKey" and "jwt" restarts nothing.',
        "deployment.replicas": "Pods are added or removed.",
        "deployment.tlsCertificate": "A renewed certificate restarts nothing.",
        "deployment.tlsPrivateKey": "A renewed certificate restarts nothing.",
    }, "a new remark needs a check above"


def rows_of_operations() -> list[tuple[str, ...]]:
    """Rows of the table in docs/operations.md: change, trains, builds, pods."""
    _, _, section = (PROJECT_ROOT / "docs" / "operations.md").read_text().partition("\n## What an update does\n")
    lines = [line for line in section.partition("\n## ")[0].splitlines() if line.startswith("| `")]
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]


def test_the_table_of_updates_has_an_example_of_the_effects() -> None:
    rows = rows_of_operations()

    assert len(rows) >= 6
    assert {cells[3].partition(";")[0] for cells in rows} == {"roll", "stay", "start or stop"}


@pytest.mark.parametrize("cells", rows_of_operations(), ids=lambda cells: str(cells[0]))
def test_the_table_of_updates_states_the_effects_of_the_settings(cells: tuple[str, ...]) -> None:
    change, trains, builds, pods = cells
    named = re.findall(r"`([\w.]+)`", change)

    assert named
    for path in named:
        found = [one for one in SETTINGS if f"{one.full_path}.".startswith(f"{path}.")]
        assert found, path
        for one in found:
            *expected, stay = STATED[effect(one)]
            if REMARKS.get(one.full_path) == "Pods are added or removed.":
                stay = "start or stop"
            assert [trains, builds, pods.partition(";")[0]] == [*expected, stay], one.full_path
