"""What a preview says of an update of what runs, from what the engine hands to hooks."""

import json
from pathlib import Path

from pulumi.runtime import config as runtime_config

from components import pod_spec
from components.deployment_settings import DeploymentSettings
from components.quota import Running
from components.rolling import keys_of, kubectl_options, lockout, running_of
from settings import read


def settings(**given: object) -> DeploymentSettings:
    found, problems = read(DeploymentSettings, {"modelName": "diabetes", **given}, "a deployment")
    assert problems == [] and found is not None
    return found


def inputs(known: DeploymentSettings) -> dict[str, object]:
    """A Deployment's inputs as the engine keeps them: JSON, numbers as floats."""
    names = ("image", "artifact_id", "payload_digest", "manifest_name", "key_name", "access_name", "tls_name")
    spec = pod_spec.deployment(known, "model", labels={}, service_account="", **dict.fromkeys(names, ""))
    return {"spec": json.loads(json.dumps(spec), parse_int=float)}


def test_what_runs_is_read_from_what_the_component_itself_wrote() -> None:
    known = settings(replicas=2, cpuRequest="50m")

    assert running_of(inputs(known)) == Running(2, known.pod)


def test_inputs_of_another_shape_say_nothing() -> None:
    others: list[dict[str, object]] = [{}, {"spec": {}}, {"spec": {"template": None}}]

    assert [running_of(other) for other in others] == [None] * 3


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
        "clients that send the key 'default', 'old' will be answered with 401: apiKeys no longer lets it in"
    )
