"""The stack's config: its sections, what each setting may be, and that everything wrong is told at once."""

import asyncio
import json
import math
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.runtime import config as runtime_config

from components.config import TARGETS, StackConfig, config_or_exit, find_unused_section, parse, read_config
from components.quota import SURGE_PODS
from components.sections import SECTIONS
from components.settings.deployment import DeploymentSettings
from sealift.settings import read
from sealift.settings.declare import declarations
from sealift.settings.read import names_of
from tests.certificates import self_signed

yaml: Any = import_module("yaml")  # the Pulumi SDK's own dependency; it has no types

PROJECT_ROOT = Path(__file__).resolve().parents[3]
STACKS = ("dev", "staging", "prod", "laptop")
ENVIRONMENT = {"SEALIFT_BASE_IMAGE": "localhost:5000/base:1"}

# Frozen: what users have in their stack files. Change it on purpose only, with a line in the changelog.
DECLARED = {
    "store": (
        "url", "keysUrl", "retention", "retainCount", "retainDays", "key", "rotation", "reseal", "signingKey",
        "recipients",
    ),
    "training": (
        "source", "dataset", "data", "model", "modelArguments", "modelPath", "loss", "classWeights", "learningRate",
        "momentum", "nesterov", "weightDecay", "gradientClip", "schedule", "epochs", "batchSize",
        "accumulateSteps", "seed", "stopLoss", "earlyStopping", "initFrom", "freeze", "augment", "folds",
        "search", "deterministic", "privacy", "masking", "quality", "gates", "compress", "compute", "device",
        "precision", "modelCard", "threads", "timeoutSeconds", "checkpointSeconds", "exposeMetrics",
        "retrainTrigger",
    ),
    "image": ("registry", "baseImage", "wheels", "platform"),
    "deployment": (
        "modelName", "cpuLimit", "memoryLimit", "grpc", "accessLog", "explain", "corsOrigins", "tracing", "auth",
        "apiKeys", "jwt", "tlsCertificate", "tlsPrivateKey", "requireSignature", "labels", "replicas", "autoscaling",
        "cpuRequest", "memoryRequest", "quota", "exposure", "nodePort",
    ),
    "container": (
        "modelName", "cpuLimit", "memoryLimit", "grpc", "accessLog", "explain", "corsOrigins", "tracing", "auth",
        "apiKeys", "jwt", "tlsCertificate", "tlsPrivateKey", "requireSignature", "labels", "address", "port",
        "grpcPort", "metricsPort",
    ),
}  # fmt: skip
FROZEN_DEFAULTS = {
    "store.url": "file://~/.sealift/store", "store.retention": "keep", "training.dataset": "diabetes",
    "training.model": "net", "training.learningRate": 0.01, "training.epochs": 100, "training.batchSize": 32,
    "training.seed": 0, "training.exposeMetrics": False, "image.registry": "localhost:5000",
    "image.platform": "linux/amd64", "deployment.replicas": None, "deployment.cpuRequest": "500m",
    "deployment.memoryRequest": "500Mi", "deployment.cpuLimit": "1", "deployment.memoryLimit": "1Gi",
    "deployment.exposure": "cluster", "deployment.auth": "apiKey", "deployment.nodePort": 0,
    "deployment.grpc": False,
    "deployment.accessLog": "errors", "deployment.explain": False,
    "container.address": "127.0.0.1", "container.port": 8080, "container.grpcPort": 8081,
    "container.metricsPort": 0, "container.auth": "apiKey",
}  # fmt: skip


def project_file() -> Any:
    return yaml.safe_load((PROJECT_ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))


def stack_values(stack: str) -> dict[str, Any]:
    stored = yaml.safe_load((PROJECT_ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))["config"]
    defaults = {key: declared["default"] for key, declared in project_file()["config"].items()}
    return defaults | {key.removeprefix("sealift:"): value for key, value in stored.items()}


def as_the_engine_sends(values: dict[str, Any]) -> dict[str, str]:
    """Objects as JSON."""
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}


def changed(path: str, value: object, stack: str = "prod") -> dict[str, Any]:
    """A stack's values with another one at `path`."""
    section, _, name = path.partition(".")
    values = stack_values(stack)
    return values | {section: values.get(section, {}) | {name: value} if name else value}


def problems_of(path: str, value: object) -> list[str]:
    parsed, problems = parse(as_the_engine_sends(changed(path, value)), ENVIRONMENT)

    assert (parsed is None) == bool(problems)
    return [str(problem) for problem in problems]


def test_the_sections_with_their_settings_and_defaults_are_frozen() -> None:
    assert {name: names_of(of) for name, of in SECTIONS.items()} == DECLARED
    assert sorted(project_file()["config"]) == sorted([*DECLARED, "target"])
    assert project_file()["config"]["target"]["default"] == TARGETS[0]
    defaults = {f"{section}.{one.name}": one.default for section, of in SECTIONS.items() for one in declarations(of)}
    assert {path: str(defaults[path]) for path in FROZEN_DEFAULTS} == {
        path: str(value) for path, value in FROZEN_DEFAULTS.items()
    }


@pytest.mark.parametrize("section", SECTIONS)
def test_every_setting_is_described_in_a_sentence(section: str) -> None:
    assert project_file()["config"][section]["description"].endswith(".")
    for one in declarations(SECTIONS[section]):
        assert one.meaning.endswith("."), one.name


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_file_holds_values_of_declared_sections_only(stack: str) -> None:
    stored = yaml.safe_load((PROJECT_ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))

    assert {key.removeprefix("sealift:") for key in stored["config"]} <= {*DECLARED, "target"}
    assert "secure" not in json.dumps(stored)


@pytest.mark.parametrize("stack", STACKS)
def test_every_stack_s_config_is_right(stack: str) -> None:
    parsed, problems = parse(as_the_engine_sends(stack_values(stack)), ENVIRONMENT)

    assert problems == []
    assert parsed is not None
    assert parsed.deployment.get("modelName") == "diabetes"
    assert parsed.image.get("baseImage") == "localhost:5000/base:1"


def test_the_dev_stack_is_small_reachable_and_leaves_nothing_behind() -> None:
    parsed, _ = parse(stack_values("dev"), ENVIRONMENT)

    assert parsed is not None
    assert parsed.store == {"retention": "delete"}
    assert parsed.deployment == {
        "modelName": "diabetes", "replicas": 2, "exposure": "nodePort", "nodePort": 30080, "cpuRequest": "50m",
        "memoryRequest": "128Mi", "cpuLimit": "500m", "memoryLimit": "256Mi",
    }  # fmt: skip


def test_staging_and_prod_stay_inside_the_cluster_and_keep_their_artifacts() -> None:
    for stack in ("staging", "prod"):
        parsed, _ = parse(stack_values(stack), ENVIRONMENT)
        assert parsed is not None
        assert (parsed.deployment.get("exposure"), parsed.store.get("retention")) == ("cluster", "keep")
        assert "exposeMetrics" not in parsed.training


def test_a_section_goes_whole_and_under_its_own_names_to_its_component() -> None:
    training = {"momentum": 0.9, "earlyStopping": {"patience": 3}, "modelArguments": {"hidden_units": 8}}

    parsed, problems = parse(stack_values("prod") | {"training": training}, ENVIRONMENT)

    assert problems == []
    assert parsed is not None
    assert parsed.training == training


def test_texts_of_numbers_are_these_numbers_where_a_number_is_meant() -> None:
    """`pulumi config set --path` writes 0.02 as text."""
    training = {"learningRate": "2.5e-3", "epochs": "7", "data": {"heldOut": "0.3"}, "retrainTrigger": "2027"}
    training |= {"gates": {"metrics": {"r2": {"minimum": "0.4"}}}}

    parsed, problems = parse(stack_values("prod") | {"training": json.dumps(training)}, ENVIRONMENT)

    assert problems == []
    assert parsed is not None
    assert parsed.training == {
        "learningRate": 0.0025, "epochs": 7, "data": {"heldOut": 0.3}, "retrainTrigger": "2027",
        "gates": {"metrics": {"r2": {"minimum": 0.4}}},
    }  # fmt: skip


def test_what_set_up_found_stands_in_and_the_config_wins_over_it() -> None:
    environment = {"SEALIFT_BASE_IMAGE": "found/base:1", "SEALIFT_REGISTRY": "found:5000", "SEALIFT_WHEELS": "/w"}
    mine = {"image": {"baseImage": "mine", "registry": "mine:1/team"}}

    found, _ = parse(stack_values("prod"), environment)
    chosen, _ = parse(stack_values("prod") | mine, environment)

    assert found is not None
    assert found.image == {"baseImage": "found/base:1", "registry": "found:5000", "wheels": "/w"}
    assert chosen is not None
    assert chosen.image == mine["image"] | {"wheels": "/w"}


def test_without_set_up_and_without_a_base_image_the_way_out_is_told() -> None:
    _, problems = parse(stack_values("prod"), {})

    assert len(problems) == 1
    assert str(problems[0]).startswith("image.baseImage is ''; allowed: an image with python3")
    assert "`make setup`" in str(problems[0])


@pytest.mark.parametrize("rate", ["abc", "0", "-0.1", "nan", "inf", "-inf", "0,1", "", "1_0"])
def test_a_learning_rate_that_cannot_be_is_refused_with_its_value(rate: str) -> None:
    problems = problems_of("training.learningRate", rate)

    assert len(problems) == 1
    assert problems[0].startswith("training.learningRate ")
    assert rate in problems[0].lower()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("training.dataset", "mnist"),
        ("training.dataset", ""),
        ("training.model", "transformer"),
        ("training.epochs", "0"),
        ("training.epochs", "1.5"),
        ("training.batchSize", "0"),
        ("training.seed", "-1"),
        ("training.stopLoss", "nan"),
        ("training.timeoutSeconds", "-1"),
        ("training.exposeMetrics", "yes"),
        ("store.url", "ftp://example.com/store"),
        ("store.url", ""),
        ("store.retention", "Keep"),
        ("image.registry", "https://registry.example.com"),
        ("image.baseImage", "python 3"),
        ("image.platform", "linux"),
        ("deployment.replicas", "0"),
        ("deployment.replicas", "-1"),
        ("deployment.replicas", "1.5"),
        ("deployment.replicas", "three"),
        ("deployment.memoryLimit", "1Gb"),
        ("deployment.cpuRequest", "2"),
        ("deployment.quota", "{"),
        ("deployment.exposure", "public"),
        ("deployment.nodePort", "80"),
        ("training", "[1]"),
        ("deployment", "{"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_the_path_and_the_value(path: str, value: str) -> None:
    problems = problems_of(path, value)

    assert [problem.split(" ")[0] for problem in problems] == [path]
    assert value in problems[0].replace("NaN", "nan")
    assert "allowed: " in problems[0]


def test_a_quota_below_need_is_refused_with_the_numbers() -> None:
    assert problems_of("deployment.quota", {"limits.memory": "3Gi"}) == [
        (
            "deployment.quota[\"limits.memory\"] is '3Gi', but '4Gi' is needed: "
            "3 replicas + 1 while rolling = 4 pods of '1Gi'"
        )
    ]


def test_problems_of_all_sections_are_told_together() -> None:
    values = {"training": {"learningRate": 0}, "deployment": {"replicas": 0}, "store": {"retention": "x"}, "zzz": 1}

    _, problems = parse(values, ENVIRONMENT)

    assert [problem.property for problem in problems] == [
        "zzz", "store.retention", "training.learningRate", "deployment.replicas",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("deployment.replica", "deployment.replica is not a setting of deployment; did you mean 'replicas'?"),
        ("training.learning_rate", "training.learning_rate is not a setting of training; did you mean"),
        ("training.schedule", "training.schedule is 1; allowed: an object of settings"),
        ("deploymnet", "deploymnet is not a section of this project's config; did you mean 'deployment'?"),
        ("replica", "replica is not a section of this project's config; did you mean 'deployment.replicas'?"),
        ("zzz", "zzz is not a section of this project's config; allowed: store, training, image, deployment"),
    ],
)
def test_a_name_that_is_none_is_refused_and_the_one_meant_is_named(path: str, said: str) -> None:
    assert any(problem.startswith(said) for problem in problems_of(path, 1))


@pytest.mark.parametrize(
    ("key", "place"),
    [
        ("learningRate", "training.learningRate"), ("replicas", "deployment.replicas"), ("registry", "image.registry"),
        ("storeUrl", "store.url"), ("retention", "store.retention"), ("modelName", "deployment.modelName"),
    ],
)  # fmt: skip
def test_a_key_of_0_1_is_told_its_new_place_and_what_to_write(key: str, place: str) -> None:
    _, problems = parse(stack_values("prod") | {key: "1"}, ENVIRONMENT)

    assert [str(problem) for problem in problems] == [f"{key} has moved to {place}"]
    assert problems[0].hint == f"`pulumi config set --path {place} VALUE`, then `pulumi config rm {key}`"


def test_a_further_input_that_cannot_be_is_named_with_its_path() -> None:
    assert problems_of("training.schedule", {"kind": "cosin"}) == [
        "training.schedule.kind is 'cosin'; allowed: 'constant', 'step', 'cosine'"
    ]
    (said,) = problems_of("training.gates", {"metrics": {"accuracy": {}}})
    assert said == "training.gates.metrics.accuracy.minimum or maximum must be given"


@pytest.fixture
def engine_config(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """What the engine has told the program; filled by the test."""
    monkeypatch.delenv("PULUMI_CONFIG", raising=False)
    monkeypatch.setenv("SEALIFT_BASE_IMAGE", ENVIRONMENT["SEALIFT_BASE_IMAGE"])
    values: dict[str, str] = {}
    token = runtime_config.CONFIG.set(values)
    yield values
    runtime_config.CONFIG.reset(token)


def in_the_engine(values: dict[str, Any]) -> dict[str, str]:
    return {f"sealift:{key}": value for key, value in as_the_engine_sends(values).items()}


def test_the_program_reads_its_own_namespace_only(engine_config: dict[str, str]) -> None:
    engine_config |= in_the_engine(stack_values("dev"))
    engine_config["kubernetes:context"] = "kind"
    engine_config["sealift-other:deployment"] = '{"replicas": 9}'

    assert read_config(pulumi.Config("sealift")).deployment.get("replicas") == 2


def test_a_stacks_section_stands_on_what_the_projects_file_gives(
    engine_config: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Pulumi itself takes a stack's section for the whole, and a model would lose its name with the first setting."""
    monkeypatch.setattr(pulumi, "get_root_directory", lambda: str(tmp_path))
    project = {
        "sealift:deployment": {"value": {"modelName": "vision", "replicas": 1, "labels": {"team": "a", "tier": "b"}}},
        "training": {"value": {"dataset": "digits", "earlyStopping": {"metric": "loss", "patience": 3}}},
        "store": {"type": "object", "default": {"retention": "delete"}},
        "pulumi:tags": {"value": {"a": "b"}},
    }
    (tmp_path / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "sealift", "config": project}))
    stack = {
        "deployment": {"replicas": 2, "labels": {"tier": "c", "team": None}},
        "training": {"earlyStopping": {"patience": 9}},
        "store": {"rotation": "2"},
    }
    engine_config |= in_the_engine(stack)

    read = read_config(pulumi.Config("sealift"))

    assert read.deployment == {"modelName": "vision", "replicas": 2, "labels": {"tier": "c"}}
    assert read.store == {"retention": "delete", "rotation": "2"}
    assert read.training == {"dataset": "digits", "earlyStopping": {"metric": "loss", "patience": 9}}


@pytest.mark.parametrize("text", ["", "name: x", "config: 3", "config: {training: 3, store: {value: 4}}", ":"])
def test_a_projects_file_without_sections_gives_nothing(
    engine_config: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str
) -> None:
    monkeypatch.setattr(pulumi, "get_root_directory", lambda: str(tmp_path))
    (tmp_path / "Pulumi.yaml").write_text(text)
    engine_config |= in_the_engine({"deployment": {"replicas": 2}})

    assert read_config(pulumi.Config("sealift")).deployment.get("replicas") == 2


@pytest.mark.parametrize(
    ("values", "project", "said"),
    [
        ({"target": "docker", "deployment": {"replicas": 2}}, {}, "the settings in deployment have no effect"),
        ({"target": "docker", "deployment": '{"replicas": 2}'}, {}, "the settings in deployment have no effect"),
        ({"container": {"port": 2}}, {}, "the settings in container have no effect"),
        ({"target": "docker", "deployment": {"replicas": 2}}, {"deployment": {"replicas": 2}}, None),
        ({"target": "docker", "container": {"port": 2}, "deployment": {}}, {}, None),
        ({"target": "moon", "deployment": {"replicas": 2}}, {}, None),
    ],
)
def test_settings_of_what_does_not_serve_are_told(
    values: dict[str, Any], project: dict[str, Any], said: str | None
) -> None:
    told = find_unused_section(values, project)

    assert told is None if said is None else told is not None and told.startswith(said)


def test_an_example_fits_beside_the_dev_stack_on_two_cores_while_it_rolls() -> None:
    dev, _ = parse(stack_values("dev"), ENVIRONMENT)
    assert dev is not None
    for file in (PROJECT_ROOT / "examples").glob("*/Pulumi.yaml"):
        values = {name: entry["value"] for name, entry in yaml.safe_load(file.read_text())["config"].items()}
        example, problems = parse(values, ENVIRONMENT, PROJECT_ROOT)
        assert example is not None, problems
        read_in = [read(DeploymentSettings, one.deployment, "a deployment")[0] for one in (dev, example)]
        asked = math.fsum(
            float((one.most_replicas + SURGE_PODS) * one.pod.cpu_request.amount) for one in read_in if one
        )
        assert asked < 1, f"{file.parent.name}: set-up's node has two cores, and its own pods take some of them"


def test_the_program_ends_with_all_problems_and_how_to_change_them(engine_config: dict[str, str]) -> None:
    engine_config |= in_the_engine(changed("deployment.replicas", -1) | {"replica": 3})

    with pytest.raises(pulumi.RunError) as refused:
        read_config(pulumi.Config("sealift"))

    lines = str(refused.value).splitlines()
    assert lines[0] == "the stack's config cannot be used:"
    assert sum(line.startswith("  ") for line in lines) == 2
    assert lines[-1].startswith("hint: to change a setting: `pulumi config set --path SECTION.SETTING VALUE`")


def test_a_problem_with_its_own_hint_needs_no_other(engine_config: dict[str, str]) -> None:
    engine_config |= in_the_engine(changed("zzz", 3))

    with pytest.raises(pulumi.RunError) as refused:
        read_config(pulumi.Config("sealift"))

    assert str(refused.value).splitlines()[-1] == "hint: `pulumi config rm zzz` removes it"


def test_the_program_itself_says_so_once_and_exits_with_what_both_language_hosts_add_nothing_to(
    engine_config: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine_config |= in_the_engine(changed("deployment.replicas", 0))
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "error", said.append)

    with pytest.raises(SystemExit) as ended:
        config_or_exit(pulumi.Config("sealift"))

    assert ended.value.code == 32
    assert len(said) == 1
    assert said[0].startswith("the stack's config cannot be used:\n  deployment.replicas is 0")


def test_a_value_set_as_a_secret_is_refused_without_quoting_it(engine_config: dict[str, str]) -> None:
    values = in_the_engine(stack_values("dev") | {"training": {"retrainTrigger": "hush"}})
    runtime_config.set_all_config(values, ["sealift:training"])

    with pytest.raises(pulumi.RunError, match="training is a secret, or contains one") as refused:
        read_config(pulumi.Config("sealift"))

    runtime_config.set_all_config({}, [])
    assert "hush" not in str(refused.value)
    assert engine_config == {}


PEM = self_signed()
TLS = {"tlsCertificate": PEM.certificate, "tlsPrivateKey": PEM.key}


def test_a_secret_setting_is_taken_as_a_secret(engine_config: dict[str, str]) -> None:
    values = in_the_engine(stack_values("prod") | {"deployment": TLS})
    runtime_config.set_all_config(values, ["sealift:deployment"])

    async def program() -> StackConfig:
        return read_config(pulumi.Config("sealift"))

    read = asyncio.run(program())

    assert engine_config == {}
    runtime_config.set_all_config({}, [])
    assert isinstance(read.deployment.get("tlsPrivateKey"), pulumi.Output)
    assert read.deployment.get("tlsCertificate") == TLS["tlsCertificate"]


HIDDEN_URL = "https://me:hush@host/churn.csv?sig=hush/hush"


@pytest.mark.parametrize("in_the_clear", [False, True])
def test_the_url_of_data_may_be_a_secret_and_names_the_model_without_it(
    engine_config: dict[str, str], *, in_the_clear: bool
) -> None:
    """What may be a secret in it becomes one, even if it stands in the stack's file in the clear."""
    training = {"dataset": HIDDEN_URL, "data": {"target": "churned"}}
    values = in_the_engine(stack_values("dev") | {"training": training})
    runtime_config.set_all_config(values, [] if in_the_clear else ["sealift:training"])

    async def program() -> tuple[StackConfig, Any, bool]:
        read = read_config(pulumi.Config("sealift"))
        dataset: Any = read.training["dataset"]
        return read, await dataset.future(), await dataset.is_secret()

    read, dataset, is_secret = asyncio.run(program())

    assert engine_config == {}
    runtime_config.set_all_config({}, [])
    assert (dataset, is_secret) == (HIDDEN_URL, True)
    assert read.deployment.get("modelName") == "churn"


def test_a_secret_setting_in_the_clear_is_refused_without_quoting_it(engine_config: dict[str, str]) -> None:
    runtime_config.set_all_config(in_the_engine(stack_values("prod") | {"deployment": TLS}), [])

    with pytest.raises(pulumi.RunError, match=r"deployment\.tlsPrivateKey is stored as plain text") as refused:
        read_config(pulumi.Config("sealift"))

    runtime_config.set_all_config({}, [])
    assert "pulumi config set --secret --path deployment.tlsPrivateKey" in str(refused.value)
    assert "BEGIN" not in str(refused.value)
    assert engine_config == {}


def test_the_laptop_stack_needs_docker_alone() -> None:
    parsed, _ = parse(as_the_engine_sends(stack_values("laptop")), ENVIRONMENT)

    assert parsed is not None
    assert parsed.target == "docker"
    assert parsed.container == {"modelName": "diabetes", "memoryLimit": "256Mi"}


def test_a_target_that_is_none_is_told_what_there_is() -> None:
    _, problems = parse(as_the_engine_sends(stack_values("prod") | {"target": "podman"}), ENVIRONMENT)

    assert [str(one) for one in problems] == ["target is 'podman'; allowed: kubernetes, docker"]


@pytest.mark.parametrize(
    ("dataset", "name"),
    [("data/My Rows.csv", "my-rows"), ("mydata.sounds:load", "load"), ("s3://bucket/a/b.parquet", "b")],
)
def test_a_model_without_a_name_is_named_after_its_data(dataset: str, name: str) -> None:
    training = {"dataset": dataset, "data": {"target": "y"}}
    parsed, problems = parse(stack_values("prod") | {"training": training}, ENVIRONMENT)

    assert problems == []
    assert parsed is not None
    assert parsed.deployment.get("modelName") == name
