"""What a preview says of an update of what runs, from what the engine hands to hooks."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.runtime import config as runtime_config

from components import pod_spec, rolling
from components.autoscaler_spec import deployment_annotations
from components.quota import Running
from components.rolling import (
    OUTAGE,
    UNSERVED,
    ends_autoscaling,
    find_running,
    finds_free,
    finds_metrics,
    fits_beside,
    keys_of,
    kubectl_options,
    lockout,
    locks_out,
    takes_over,
)
from components.server_files import folders_of
from components.server_version import ServerVersion
from components.settings.container import ContainerSettings
from components.settings.deployment import DeploymentSettings
from components.settings.server import LET_IN
from sealift.settings import read


def settings(**given: object) -> DeploymentSettings:
    found, problems = read(DeploymentSettings, {"modelName": "diabetes", **given}, "a deployment")
    assert problems == [] and found is not None
    return found


def inputs(known: DeploymentSettings) -> dict[str, object]:
    """A Deployment's inputs as the engine keeps them: JSON, numbers as floats."""
    version = ServerVersion("model", dict.fromkeys(("image", "artifactId", "payloadDigest"), ""))
    names = {folder.name: "" for folder in folders_of(known)}
    spec = pod_spec.deployment(
        known, version, replicas=known.first_replicas, labels={}, object_names=names, service_account=""
    )
    metadata = {"annotations": deployment_annotations(known)}
    return {"metadata": metadata, "spec": json.loads(json.dumps(spec), parse_int=float)}


def test_what_runs_is_read_from_what_the_component_itself_wrote() -> None:
    known = settings(replicas=2, cpuRequest="50m")

    assert find_running(inputs(known)) == Running(2, known.pod)


def test_as_many_pods_may_run_as_the_autoscaler_could_have_started() -> None:
    known = settings(autoscaling={"minReplicas": 2, "maxReplicas": 9})

    assert find_running(inputs(known)) == Running(9, known.pod)


def test_inputs_of_another_shape_say_nothing() -> None:
    others: list[dict[str, object]] = [{}, {"spec": {}}, {"spec": {"template": None}}]

    assert [find_running(other) for other in others] == [None] * 3


def test_keys_that_were_let_in_are_read_from_the_service() -> None:
    known = settings(apiKeys={"dashboard": {}})

    assert keys_of({"metadata": {"annotations": pod_spec.service_annotations(known)}}) == ["dashboard", "default"]
    assert keys_of({"metadata": {"annotations": pod_spec.service_annotations(settings(auth="none"))}}) == []
    assert keys_of({}) == keys_of({"metadata": None}) == keys_of({"metadata": {}}) == []


def test_kubectl_is_told_the_provider_s_cluster_or_not_asked(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.touch()
    found = []
    for values in (
        {},
        {"context": "kind"},
        {"context": "kind", "kubeconfig": str(file)},
        {"kubeconfig": "kind: Config"},
    ):
        token = runtime_config.CONFIG.set({f"kubernetes:{name}": value for name, value in values.items()})
        found.append(kubectl_options())
        runtime_config.CONFIG.reset(token)

    assert found == [[], ["--context=kind"], ["--context=kind", f"--kubeconfig={file}"], None]


def test_whoever_is_locked_out_is_named() -> None:
    assert lockout(["default", "old"]) == (
        "requests with the API key 'default', 'old' will get status 401, because apiKeys no longer accepts it"
    )


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Asks what a hook does, as the engine would, of what it is given; hooks are there in previews too."""
    made: list[tuple[Any, pulumi.ResourceHookOptions]] = []
    monkeypatch.setattr(pulumi, "ResourceHook", lambda name, function, options: made.append((function, options)))

    def ask(make: Callable[[], object], **given: object) -> None:
        async def main() -> None:
            make()
            ((function, options),) = made
            assert options.on_dry_run
            await function(pulumi.ResourceHookArgs("urn", "id", "name", "type", **given))  # type: ignore[arg-type]

        asyncio.run(main())

    return ask


def output(known: DeploymentSettings | None) -> "pulumi.Output[Any]":
    """None: not known in this preview."""

    def future(value: object) -> "asyncio.Future[Any]":
        made: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        made.set_result(value)
        return made

    return pulumi.Output(future(set()), future(known), future(known is not None))


def test_an_update_that_cannot_be_rolled_is_refused(asked: Callable[..., None]) -> None:
    before, after = settings(replicas=2, cpuRequest="500m"), settings(replicas=2, cpuRequest="100m")

    with pytest.raises(pulumi.RunError, match="the deployment cannot be updated") as refused:
        asked(lambda: fits_beside("the deployment", "model", output(after)), old_inputs=inputs(before))
    assert "cpuRequest" in str(refused.value)


@pytest.mark.parametrize("after", [settings(replicas=2, cpuRequest="400m"), None], ids=["fits", "unknown"])
def test_an_update_that_fits_or_is_not_known_is_not_refused(
    asked: Callable[..., None], after: DeploymentSettings | None
) -> None:
    before = settings(replicas=2, cpuRequest="500m")

    asked(lambda: fits_beside("the deployment", "model", output(after)), old_inputs=inputs(before))


SCALED = settings(autoscaling={"minReplicas": 2, "maxReplicas": 9})
FIXED = settings(autoscaling={"minReplicas": 4, "maxReplicas": 4})


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (SCALED, settings(replicas=4), "the running autoscaler chooses 2 to 9 replicas"),
        (FIXED, settings(replicas=5), "the running autoscaler chooses 4 to 4 replicas"),
        (FIXED, settings(replicas=4), ""),
        (SCALED, FIXED, ""),
        (SCALED, None, ""),
        (settings(replicas=3), SCALED, ""),
        (settings(replicas=3), settings(replicas=4), ""),
    ],
    ids=["a range", "another number", "its number", "made fixed", "unknown", "switched on", "never on"],
)
def test_an_autoscaler_that_could_overrule_the_new_replicas_cannot_be_removed(
    asked: Callable[..., None], before: DeploymentSettings, after: DeploymentSettings | None, said: str
) -> None:
    try:
        asked(lambda: ends_autoscaling("the deployment", "model", output(after)), old_inputs=inputs(before))
        refusal = ""
    except pulumi.RunError as error:
        refusal = str(error)

    assert bool(refusal) == bool(said)
    assert said in refusal
    if after is not None and said:
        assert f"first set autoscaling.minReplicas and autoscaling.maxReplicas to {after.replicas}" in refusal


@pytest.mark.parametrize(
    ("known", "unserved", "warnings"),
    [
        (SCALED, {"metrics.k8s.io"}, [UNSERVED.format("metrics.k8s.io")]),
        (SCALED, {"custom.metrics.k8s.io"}, []),
        (SCALED, set(), []),
        (
            settings(autoscaling={"maxReplicas": 9, "latencySeconds": 0.1}),
            {"metrics.k8s.io", "custom.metrics.k8s.io"},
            [UNSERVED.format("custom.metrics.k8s.io")],
        ),
        (
            settings(autoscaling={"maxReplicas": 9, "requestsPerSecond": 10, "cpu": 50}),
            {"metrics.k8s.io", "custom.metrics.k8s.io"},
            [UNSERVED.format("metrics.k8s.io and custom.metrics.k8s.io")],
        ),
        (None, {"metrics.k8s.io"}, []),
    ],
)
def test_metrics_that_the_cluster_does_not_serve_are_warned_of(
    asked: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    known: DeploymentSettings | None,
    unserved: set[str],
    warnings: list[str],
) -> None:
    told: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda message, resource: told.append(message))
    monkeypatch.setattr(
        rolling, "find_unserved", lambda groups, options: [group for group in groups if group in unserved]
    )

    asked(lambda: finds_metrics(None, "model", output(known)))  # type: ignore[arg-type]

    assert told == warnings


@pytest.mark.parametrize(
    ("after", "warnings"),
    [
        (settings(apiKeys={"dashboard": {}, "default": {"revoked": True}}), [lockout(["default"])]),
        (settings(apiKeys={"dashboard": {}}), []),
        (settings(auth="none"), []),
        (None, []),
    ],
    ids=["removed", "kept", "all are let in", "unknown"],
)
def test_an_update_that_locks_clients_out_warns(
    asked: Callable[..., None], monkeypatch: pytest.MonkeyPatch, after: DeploymentSettings | None, warnings: list[str]
) -> None:
    told: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda message, resource: told.append(message))
    annotations = pod_spec.service_annotations(settings(apiKeys={"dashboard": {}}))

    asked(
        lambda: locks_out(None, "model", output(after)),  # type: ignore[arg-type]
        old_inputs={"metadata": {"annotations": annotations}},
    )

    assert told == warnings


@pytest.mark.parametrize(("port", "refused"), [(30080.0, True), (30081.0, False), (None, False)])
def test_a_node_port_that_another_service_has_is_refused(
    asked: Callable[..., None], monkeypatch: pytest.MonkeyPatch, port: float | None, refused: bool
) -> None:
    owners = {30080: "team/other"}
    monkeypatch.setattr(rolling, "owner_of_node_port", lambda number, options: owners.get(number))
    ports = [{"port": 80.0} | ({"nodePort": port} if port else {})]

    try:
        asked(lambda: finds_free("the deployment", "model"), new_inputs={"spec": {"ports": ports}})
        said = ""
    except pulumi.RunError as error:
        said = str(error)

    assert ("is 30080, but the Service team/other of the cluster uses it" in said) is refused


@pytest.mark.parametrize(
    ("at_the_port", "label", "warnings"),
    [
        ("model-1a2b", "dashboard,default", [OUTAGE, lockout(["default"])]),
        ("model-1a2b", "dashboard", [OUTAGE]),
        ("model-1a2b", "", [OUTAGE]),
        ("", "", []),
        (None, "", []),
    ],
    ids=["a key goes", "no key goes", "nobody knows which keys", "the first one", "a silent engine"],
)
def test_a_container_that_takes_over_says_what_ends(
    asked: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    at_the_port: str | None,
    label: str,
    warnings: list[str],
) -> None:
    told: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda message, resource: told.append(message))
    monkeypatch.setattr(rolling, "container_at", lambda port: at_the_port)
    monkeypatch.setattr(rolling, "label_of", lambda container, name: label if name == LET_IN else "sealift/dev")
    known, _ = read(
        ContainerSettings, {"modelName": "m", "apiKeys": {"dashboard": {}, "default": {"revoked": True}}}, "a container"
    )

    asked(lambda: takes_over(None, "the container", "model", "sealift/dev", output(known)))  # type: ignore[arg-type]

    assert told == warnings


@pytest.mark.parametrize("other", ["models-1", "model-1a2b"])
def test_a_container_whose_port_another_one_has_is_refused(
    asked: Callable[..., None], monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    """Another stack's is named as this one's would be."""
    monkeypatch.setattr(rolling, "container_at", lambda port: other)
    monkeypatch.setattr(rolling, "label_of", lambda container, name: "sealift/laptop")
    known, _ = read(ContainerSettings, {"modelName": "m"}, "a container")

    with pytest.raises(pulumi.RunError, match=f"port is 8080, but the container {other} uses it"):
        asked(lambda: takes_over(None, "the container", "model", "sealift/dev", output(known)))  # type: ignore[arg-type]


def test_a_kubeconfig_given_as_its_content_is_no_path_and_is_not_shown(
    asked: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Content of over 4,096 bytes is too long for a path, and the error of that quotes it."""
    content = "client-key-data: " + "c2VjcmV0" * 1000
    token = runtime_config.CONFIG.set({"kubernetes:kubeconfig": content})
    monkeypatch.setattr(rolling, "owner_of_node_port", lambda number, options: "team/other")

    asked(lambda: finds_free("the deployment", "model"), new_inputs={"spec": {"ports": [{"nodePort": 30080.0}]}})

    runtime_config.CONFIG.reset(token)


def test_what_a_hook_stumbles_over_is_told_without_its_text(
    asked: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", told.append)

    def stumble(number: int, options: list[str]) -> str:
        raise OSError(36, "File name too long", "hush")

    monkeypatch.setattr(rolling, "owner_of_node_port", stumble)

    asked(lambda: finds_free("the deployment", "model"), new_inputs={"spec": {"ports": [{"nodePort": 30080.0}]}})

    assert told == ["model-finds-free could not be checked: OSError"]
