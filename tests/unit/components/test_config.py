"""The stack's config: its keys, what each may be, and that everything wrong is told at once."""

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.runtime import config as runtime_config

from components.config import KEYS, config_or_exit, parse, read_config

yaml: Any = import_module("yaml")  # the Pulumi SDK's own dependency; it has no types

PROJECT_ROOT = Path(__file__).resolve().parents[3]
STACKS = ("dev", "staging", "prod")
ENVIRONMENT = {"SEALIFT_BASE_IMAGE": "localhost:5000/base:1"}

# Frozen: what users have in their stack files. Change it on purpose only, with a line in the changelog.
DECLARED = {
    "modelName": ("string", ""),
    "dataset": ("string", "diabetes"),
    "model": ("string", "net"),
    "learningRate": ("string", "0.01"),
    "epochs": ("integer", 100),
    "batchSize": ("integer", 32),
    "seed": ("integer", 0),
    "stopLoss": ("string", ""),
    "training": ("object", {}),
    "timeoutSeconds": ("integer", 0),
    "retrainTrigger": ("string", ""),
    "exposeMetrics": ("boolean", False),
    "storeUrl": ("string", "file://~/.sealift/store"),
    "retention": ("string", "keep"),
    "rotation": ("string", ""),
    "recipients": ("array", []),
    "registry": ("string", ""),
    "baseImage": ("string", ""),
    "platform": ("string", "linux/amd64"),
    "replicas": ("integer", 3),
    "cpuRequest": ("string", "500m"),
    "memoryRequest": ("string", "500Mi"),
    "cpuLimit": ("string", "1"),
    "memoryLimit": ("string", "1Gi"),
    "quota": ("object", {}),
    "exposure": ("string", "cluster"),
    "nodePort": ("integer", 0),
}


def project_file() -> Any:
    return yaml.safe_load((PROJECT_ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))


def as_the_engine_sends(values: dict[str, Any]) -> dict[str, str]:
    """Every value as text, objects and booleans as JSON."""
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}


def stack_values(stack: str) -> dict[str, str]:
    stored = yaml.safe_load((PROJECT_ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))["config"]
    defaults = {key: declared["default"] for key, declared in project_file()["config"].items()}
    return as_the_engine_sends(defaults | {key.removeprefix("sealift:"): value for key, value in stored.items()})


def problems_of(**changed: object) -> list[str]:
    parsed, problems = parse(stack_values("prod") | changed, ENVIRONMENT)

    assert (parsed is None) == bool(problems)
    return [str(problem) for problem in problems]


def test_the_keys_with_their_types_and_defaults_are_frozen() -> None:
    declared = {key: (entry["type"], entry["default"]) for key, entry in project_file()["config"].items()}

    assert declared == DECLARED
    assert sorted(KEYS) == sorted(DECLARED)


def test_every_key_is_described_in_a_sentence() -> None:
    for key, entry in project_file()["config"].items():
        assert entry["description"].endswith("."), key


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_file_holds_values_of_declared_keys_only(stack: str) -> None:
    stored = yaml.safe_load((PROJECT_ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))

    assert {key.removeprefix("sealift:") for key in stored["config"]} <= set(DECLARED)
    assert "secure" not in json.dumps(stored)


@pytest.mark.parametrize("stack", STACKS)
def test_every_stack_s_config_is_right(stack: str) -> None:
    parsed, problems = parse(stack_values(stack), ENVIRONMENT)

    assert problems == []
    assert parsed is not None
    assert parsed.model_name == parsed.dataset == "diabetes"
    assert parsed.base_image == "localhost:5000/base:1"


def test_the_dev_stack_is_small_reachable_and_leaves_nothing_behind() -> None:
    parsed, _ = parse(stack_values("dev"), ENVIRONMENT)

    assert parsed is not None
    assert (parsed.replicas, parsed.exposure, parsed.node_port, parsed.retention) == (2, "nodePort", 30080, "delete")
    assert (parsed.cpu_request, parsed.memory_request, parsed.cpu_limit, parsed.memory_limit) == (
        "50m",
        "128Mi",
        "500m",
        "256Mi",
    )


def test_staging_and_prod_stay_inside_the_cluster_and_keep_their_artifacts() -> None:
    for stack in ("staging", "prod"):
        parsed, _ = parse(stack_values(stack), ENVIRONMENT)
        assert parsed is not None
        assert (parsed.exposure, parsed.retention, parsed.expose_metrics) == ("cluster", "keep", False)


def test_text_becomes_what_it_stands_for() -> None:
    changed = {
        "learningRate": "2.5e-3",
        "epochs": "7",
        "stopLoss": "0.5",
        "exposeMetrics": "true",
        "quota": '{"limits.memory":"16Gi","pods":20}',
        "memoryLimit": "2048Mi",
        "timeoutSeconds": "60",
    }

    parsed, problems = parse(stack_values("prod") | changed, ENVIRONMENT)

    assert problems == []
    assert parsed is not None
    assert (parsed.learning_rate, parsed.epochs, parsed.stop_loss) == (0.0025, 7, 0.5)
    assert (parsed.expose_metrics, parsed.timeout_seconds, parsed.memory_limit) == (True, 60, "2Gi")
    assert parsed.quota == {"limits.memory": "16Gi", "pods": "20"}


def test_empty_texts_stand_for_what_the_description_says() -> None:
    parsed, _ = parse(stack_values("prod") | {"dataset": "digits"}, ENVIRONMENT)

    assert parsed is not None
    assert (parsed.model_name, parsed.stop_loss, parsed.registry) == ("digits", None, "localhost:5000")


def test_what_set_up_found_stands_in_and_the_config_wins_over_it() -> None:
    environment = {"SEALIFT_BASE_IMAGE": "found/base:1", "SEALIFT_REGISTRY": "found:5000"}

    found, _ = parse(stack_values("prod"), environment)
    chosen, _ = parse(stack_values("prod") | {"baseImage": "mine", "registry": "mine:1/team"}, environment)

    assert found is not None
    assert (found.base_image, found.registry) == ("found/base:1", "found:5000")
    assert chosen is not None
    assert (chosen.base_image, chosen.registry) == ("mine", "mine:1/team")


def test_without_set_up_and_without_a_base_image_the_way_out_is_told() -> None:
    _, problems = parse(stack_values("prod"), {})

    assert len(problems) == 1
    assert str(problems[0]).startswith("baseImage is ''; allowed: an image with python3")
    assert "`make setup`" in str(problems[0])


@pytest.mark.parametrize("rate", ["abc", "0", "-0.1", "nan", "inf", "-inf", "0,1", "", "1_0"])
def test_a_learning_rate_that_cannot_be_is_refused_with_its_value(rate: str) -> None:
    problems = problems_of(learningRate=rate)

    assert len(problems) == 1
    assert problems[0].startswith("learningRate ")
    assert rate in problems[0].lower()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dataset", "mnist"),
        ("dataset", ""),
        ("model", "transformer"),
        ("epochs", "0"),
        ("epochs", "1.5"),
        ("batchSize", "0"),
        ("seed", "-1"),
        ("stopLoss", "nan"),
        ("timeoutSeconds", "-1"),
        ("timeoutSeconds", "1.5"),
        ("exposeMetrics", "yes"),
        ("storeUrl", "ftp://example.com/store"),
        ("storeUrl", ""),
        ("retention", "Keep"),
        ("registry", "https://registry.example.com"),
        ("baseImage", "python 3"),
        ("platform", "linux"),
        ("replicas", "0"),
        ("replicas", "-1"),
        ("replicas", "1.5"),
        ("replicas", "three"),
        ("memoryLimit", "1Gb"),
        ("cpuRequest", "2"),
        ("quota", "{"),
        ("quota", "[1]"),
        ("exposure", "public"),
        ("nodePort", "80"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_the_key_and_the_value(key: str, value: str) -> None:
    problems = problems_of(**{key: value})

    assert [problem.split(" ")[0] for problem in problems] == [key]
    assert value in problems[0].replace("NaN", "nan")
    assert "allowed: " in problems[0] or "it must be " in problems[0]


def test_a_quota_below_need_is_refused_with_the_numbers() -> None:
    assert problems_of(quota='{"limits.memory":"3Gi"}') == [
        "quota[\"limits.memory\"] is '3Gi', but '4Gi' is needed: 3 replicas + 1 while rolling = 4 pods of '1Gi'"
    ]


def test_problems_of_training_deployment_and_the_rest_are_told_together() -> None:
    problems = problems_of(learningRate="0", replicas="0", retention="x", replica="3")

    assert sorted(problem.split(" ")[0] for problem in problems) == ["learningRate", "replica", "replicas", "retention"]


@pytest.mark.parametrize(
    ("key", "meant"), [("replica", "replicas"), ("learning_rate", "learningRate"), ("memorylimit", "memoryLimit")]
)
def test_an_unknown_key_is_refused_and_the_one_meant_is_named(key: str, meant: str) -> None:
    assert problems_of(**{key: "1"}) == [f"{key} is not a key of this project; did you mean '{meant}'?"]


def test_a_key_like_no_other_is_refused_with_all_there_are() -> None:
    problem = problems_of(zzz="1")[0]

    assert all(key in problem for key in KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_a_key_that_pulumi_yaml_lost_is_told(key: str) -> None:
    values = stack_values("prod")
    del values[key]

    parsed, problems = parse(values, ENVIRONMENT)

    assert parsed is None
    assert f"{key} is not set" in " ".join(map(str, problems))


@pytest.fixture
def engine_config(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """What the engine has told the program; filled by the test."""
    monkeypatch.delenv("PULUMI_CONFIG", raising=False)
    monkeypatch.setenv("SEALIFT_BASE_IMAGE", ENVIRONMENT["SEALIFT_BASE_IMAGE"])
    values: dict[str, str] = {}
    token = runtime_config.CONFIG.set(values)
    yield values
    runtime_config.CONFIG.reset(token)


def test_the_program_reads_its_own_namespace_only(engine_config: dict[str, str]) -> None:
    engine_config |= {f"sealift:{key}": value for key, value in stack_values("dev").items()}
    engine_config["kubernetes:context"] = "kind"
    engine_config["sealift-other:replicas"] = "9"

    assert read_config(pulumi.Config("sealift")).replicas == 2


def test_the_program_ends_with_all_problems_and_how_to_change_them(engine_config: dict[str, str]) -> None:
    engine_config |= {f"sealift:{key}": value for key, value in stack_values("dev").items()}
    engine_config |= {"sealift:replicas": "0", "sealift:replica": "3"}

    with pytest.raises(pulumi.RunError) as refused:
        read_config(pulumi.Config("sealift"))

    lines = str(refused.value).splitlines()
    assert lines[0] == "the stack's config cannot be used:"
    assert sum(line.startswith("  ") for line in lines) == 2
    assert lines[-1] == "hint: `pulumi config set KEY VALUE` changes one; Pulumi.yaml describes them all"


def test_the_program_itself_says_so_once_and_exits_with_what_both_language_hosts_add_nothing_to(
    engine_config: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine_config |= {f"sealift:{key}": value for key, value in stack_values("dev").items()}
    engine_config["sealift:replicas"] = "0"
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "error", said.append)

    with pytest.raises(SystemExit) as ended:
        config_or_exit(pulumi.Config("sealift"))

    assert ended.value.code == 32
    assert len(said) == 1
    assert said[0].startswith("the stack's config cannot be used:\n  replicas is 0")


def test_a_value_set_as_a_secret_is_refused_without_quoting_it(engine_config: dict[str, str]) -> None:
    values = {f"sealift:{key}": value for key, value in stack_values("dev").items()} | {
        "sealift:retrainTrigger": "hush"
    }
    runtime_config.set_all_config(values, ["sealift:retrainTrigger"])

    with pytest.raises(pulumi.RunError, match="retrainTrigger is set as a secret") as refused:
        read_config(pulumi.Config("sealift"))

    runtime_config.set_all_config({}, [])
    assert "hush" not in str(refused.value)
    assert engine_config == {}


def test_further_inputs_of_the_training_run_come_by_the_names_of_its_arguments() -> None:
    training = {"momentum": 0.9, "earlyStopping": {"patience": 3}, "modelArguments": {"hidden_units": 8}}
    parsed, problems = parse(stack_values("prod") | {"training": json.dumps(training)}, ENVIRONMENT)

    assert problems == []
    assert parsed is not None
    assert parsed.training == {
        "momentum": 0.9,
        "early_stopping": {"patience": 3},
        "model_arguments": {"hidden_units": 8},
    }


@pytest.mark.parametrize(
    ("training", "words"),
    [
        ("[1]", ["training", "object of inputs"]),
        ('{"learningRate": 1}', ["training.learningRate", "not an input here", "momentum"]),
        ('{"momentum": 2}', ["training.momentum is 2", "from 0 to below 1"]),
        ('{"schedule": {"kind": "cosin"}}', ["training.schedule.kind is 'cosin'", "'cosine'"]),
        ('{"gates": {"metrics": {"accuracy": {}}}}', ["training.gates.metrics.accuracy", "minimum"]),
    ],
)
def test_a_further_input_that_cannot_be_is_named_with_its_path(training: str, words: list[str]) -> None:
    said = " ".join(problems_of(training=training))

    for word in words:
        assert word in said


@pytest.mark.parametrize(
    ("dataset", "name"),
    [("data/My Rows.csv", "my-rows"), ("mydata.sounds:load", "load"), ("s3://bucket/a/b.parquet", "b")],
)
def test_a_model_without_a_name_is_named_after_its_data(dataset: str, name: str) -> None:
    training = '{"data": {"target": "y"}}'
    parsed, problems = parse(stack_values("prod") | {"dataset": dataset, "training": training}, ENVIRONMENT)

    assert problems == []
    assert parsed is not None
    assert parsed.model_name == name
