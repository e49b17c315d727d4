"""What a deployment may be, and that everything wrong with it is told at once."""

import pytest

from components.settings.deployment import ModelDeploymentInputs, component_name_problems
from sealift.settings import Problem, kinds, read

DIGEST = "sha256:" + "a" * 64
GOOD: dict[str, object] = {
    "modelName": "diabetes",
    "replicas": 3,
    "cpuRequest": "500m",
    "memoryRequest": "500Mi",
    "cpuLimit": "1",
    "memoryLimit": "1Gi",
    "quota": {},
    "exposure": "cluster",
    "nodePort": 0,
    "labels": {},
    "image": f"localhost:5000/sealift-diabetes@{DIGEST}",
    "artifactId": "ab" * 16,
    "payloadDigest": "cd" * 32,
    "manifest": "{}",
    "privateKey": "PEM",
}


def validate(values: dict[str, object], unknown: tuple[str, ...] = ()) -> tuple[ModelDeploymentInputs, list[Problem]]:
    return read(ModelDeploymentInputs, values, "a model deployment", unknown=unknown)


def problems_of(**changed: object) -> list[str]:
    _, problems = validate(GOOD | changed)

    return [str(problem) for problem in problems]


def test_the_defaults_are_settings() -> None:
    settings, problems = validate(GOOD)

    assert problems == []
    assert (settings.replicas, settings.pod.memory_limit.text, settings.exposure) == (3, "1Gi", "cluster")


def test_whole_numbers_may_arrive_as_the_engine_s_floats() -> None:
    settings, _ = validate(GOOD | {"replicas": 2.0, "exposure": "nodePort", "nodePort": 30080.0})

    assert (settings.replicas, settings.node_port) == (2, 30080)
    assert isinstance(settings.replicas, int)


@pytest.mark.parametrize("replicas", [0, -1, 1.5, 10_001, float("nan"), float("inf"), "3", True])
def test_replicas_are_a_whole_number_from_1(replicas: object) -> None:
    allowed = "a whole number from 1 to 10000"

    assert problems_of(replicas=replicas) == [f"replicas is {kinds.show_value(replicas)}; allowed: {allowed}"]


@pytest.mark.parametrize("port", [80, 29999, 32768, -1, 30080.5, "30080", True])
def test_a_node_port_is_in_kubernetes_range_or_0(port: object) -> None:
    allowed = "a whole number from 30000 to 32767, or 0 to let Kubernetes choose"

    assert problems_of(nodePort=port, exposure="nodePort") == [
        f"nodePort is {kinds.show_value(port)}; allowed: {allowed}"
    ]


@pytest.mark.parametrize("port", [30000, 32767, 0])
def test_the_range_s_ends_are_allowed(port: int) -> None:
    assert problems_of(nodePort=port, exposure="nodePort") == []


def test_a_node_port_without_its_exposure_is_refused() -> None:
    assert problems_of(nodePort=30080) == ["nodePort is 30080, but exposure is 'cluster'; allowed with it: 0"]


@pytest.mark.parametrize("exposure", ["nodeport", "", "loadBalancer", 1])
def test_exposure_is_one_of_two(exposure: object) -> None:
    assert problems_of(exposure=exposure) == [f"exposure is {exposure!r}; allowed: 'cluster', 'nodePort'"]


@pytest.mark.parametrize("name", ["", "Diabetes", "a_b", "-a", "a-", "a.b", "a/b", "a" * 64, "ä", "a\n"])
def test_a_model_s_name_is_a_dns_1123_label(name: object) -> None:
    problems = problems_of(modelName=name)

    assert len(problems) == 1
    assert problems[0].startswith(f"modelName is {kinds.show_value(name)}; allowed: 1 to 63 of a-z")


@pytest.mark.parametrize("image", ["model", "localhost:5000/model:dev", f"model@{DIGEST[:-1]}", ""])
def test_an_image_is_pinned_by_digest(image: object) -> None:
    problems = problems_of(image=image)

    assert len(problems) == 1
    assert problems[0].startswith(f"image is {kinds.show_value(image)}; allowed: an image by its digest")


@pytest.mark.parametrize(
    ("name", "value"), [("artifactId", "ab" * 15), ("artifactId", "AB" * 16), ("payloadDigest", "cd" * 16)]
)
def test_what_the_server_will_open_is_pinned_in_full(name: str, value: str) -> None:
    assert problems_of(**{name: value})[0].startswith(f"{name} is {kinds.show_value(value)}; allowed: ")


def test_a_manifest_that_no_configmap_holds_is_refused_without_quoting_it() -> None:
    assert problems_of(manifest="x" * (2**20)) == []
    assert problems_of(manifest="x" * (2**20 + 1)) == [
        "manifest is 1048577 bytes of text; allowed: TrainingRun's output manifest, of 1 to 1048576 bytes"
    ]


@pytest.mark.parametrize(
    "labels",
    [
        {"app.kubernetes.io/name": "x"},
        {"-a": "x"},
        {"a": "-x"},
        {"a": "x" * 64},
        {"a/b/c": "x"},
        {"a": 1},
        {"": "x"},
        "a=b",
    ],
)
def test_labels_that_kubernetes_or_the_selector_would_not_bear_are_refused(labels: object) -> None:
    problems = problems_of(labels=labels)

    assert len(problems) == 1
    assert problems[0].startswith("labels")


def test_labels_of_one_s_own_are_allowed() -> None:
    assert problems_of(labels={"team": "ml", "example.com/cost-center": "42", "empty": ""}) == []


def test_everything_wrong_is_told_at_once() -> None:
    properties = [
        problem.property
        for problem in validate(
            GOOD
            | {
                "replicas": 0,
                "memoryLimit": "1Gb",
                "cpuRequest": "2",
                "quota": {"limits.cpu": "x"},
                "exposure": "x",
                "nodePort": 1,
                "modelName": "A",
                "image": "a",
                "labels": {"-": "x"},
            }
        )[1]
    ]

    assert sorted(properties) == sorted(
        [
            "replicas",
            "memoryLimit",
            "cpuRequest",
            'quota["limits.cpu"]',
            "exposure",
            "nodePort",
            "modelName",
            "image",
            'labels["-"]',
        ]
    )


def test_a_quota_below_need_is_told_beside_other_problems() -> None:
    problems = problems_of(quota={"limits.memory": "3Gi"}, image="a")

    assert any("'4Gi' is needed" in problem for problem in problems)
    assert len(problems) == 2


@pytest.mark.parametrize("name", ["modelName", "image", "manifest", "privateKey", "artifactId", "payloadDigest"])
def test_what_must_be_given_is_missed(name: str) -> None:
    assert problems_of(**{name: None}) == [f"{name} is missing"]


@pytest.mark.parametrize("unknown", ["image", "replicas", "quota", "memoryLimit", "modelName"])
def test_what_is_not_known_yet_hides_no_problem_of_the_rest(unknown: str) -> None:
    known = {name: value for name, value in (GOOD | {"exposure": "x"}).items() if name != unknown}

    _, problems = validate(known, unknown=(unknown,))

    assert [problem.property for problem in problems] == ["exposure"]


@pytest.mark.parametrize("name", ["model", "a", "a" * 45])
def test_a_component_s_name_can_begin_the_names_of_its_objects(name: str) -> None:
    assert component_name_problems(name) == []


@pytest.mark.parametrize("name", ["", "My Model", "a" * 46, "model_1", "-"])
def test_a_component_s_name_that_kubernetes_would_refuse_is_refused_first(name: str) -> None:
    assert [problem.property for problem in component_name_problems(name)] == ["name"]
