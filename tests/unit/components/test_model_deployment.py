"""The component on Pulumi's mocks: what is registered, what needs what, and what is refused before anything is."""

import asyncio
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.runtime import mocks

from components.model_deployment import ModelDeployment
from sealift.serving.access.access_file import parse
from tests.certificates import self_signed

IMAGE = "localhost:5000/sealift-diabetes@sha256:" + "a" * 64
KEY = "-----BEGIN PRIVATE KEY-----\nnot one, but nobody looks\n-----END PRIVATE KEY-----\n"
SECRET_MARK = "4dabf18193072939515e22adb298388d"  # how the engine marks a secret among properties
GOOD: dict[str, Any] = {
    "image": IMAGE,
    "manifest": '{"version":1}',
    "privateKey": KEY,
    "artifactId": "ab" * 16,
    "payloadDigest": "cd" * 32,
    "modelName": "diabetes",
}


@pytest.fixture(autouse=True, scope="module")
def event_loop() -> Iterator[None]:
    """One for all: the mocks take the current loop, and `asyncio.run` elsewhere leaves none."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


def api_key(name: str) -> str:
    """Of the resource of this name."""
    return "sealift_" + name.ljust(43, "k")


def digest(name: str) -> str:
    return sha256(api_key(name).encode()).hexdigest()


def kind_of(kind: str, name: str) -> str:
    """What an object is here: its kind, and what tells it from the model's manifest, private key and others' keys."""
    kind, own = kind.split(":")[-1], name.partition("-")[2]
    return kind if own in ("", "manifest", "key") else f"{kind} {own}"


class Cluster(mocks.Mocks):
    """Answers as a cluster would: every object gets its name with a suffix."""

    def __init__(self) -> None:
        self.objects: dict[str, Any] = {}

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        kind = kind_of(args.typ, args.name)
        assert kind not in self.objects
        self.objects[kind] = args.inputs
        if not args.custom:
            return None, {}
        if args.typ == "sealift:index:ApiKey":
            return f"{args.name}-id", args.inputs | {"key": api_key(args.name), "digests": [digest(args.name)]}
        metadata = args.inputs["metadata"] | {"name": f"{args.name}-1a2b3c4d"}
        return f"{args.name}-id", args.inputs | {"metadata": metadata}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        raise AssertionError(args.token)


class Monitor(mocks.MockMonitor):
    """Keeps what each registration depends on, which the mocks themselves do not show."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self.needs: dict[str, set[str]] = {}
        self.parents: dict[str, str] = {}
        self.ignored: dict[str, list[str]] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the engine's name
        kind = kind_of(request.type, request.name)
        self.needs[kind] = {kind_of(urn.split("::")[2], urn.split("::")[3]) for urn in request.dependencies}
        self.ignored[kind] = [*request.ignoreChanges]
        self.parents[kind] = request.parent.split("::")[-2].split("$")[-1] if request.parent else ""
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]  # the SDK's mocks have no types


def run(
    program: Callable[[], object], *, preview: bool = False, answers: Cluster | None = None
) -> tuple[Cluster, Monitor]:
    cluster = answers or Cluster()
    monitor = Monitor(cluster)
    mocks.set_mocks(cluster, preview=preview, monitor=monitor)
    # What depends on a refused value fails with it, and nobody awaits all of that: asyncio would report each.
    asyncio.get_event_loop().set_exception_handler(lambda loop, context: None)
    mocks.test(program)()  # type: ignore[no-untyped-call]  # the SDK's mocks have no types
    return cluster, monitor


def registered_kinds() -> set[str]:
    """Of the last run, also of one that was refused."""
    monitor = pulumi.runtime.settings.get_monitor()
    assert isinstance(monitor, Monitor)
    return set(monitor.needs)


def args(**changed: Any) -> Any:
    return GOOD | changed


def deploy(**changed: Any) -> Cluster:
    return run(lambda: ModelDeployment("model", args(**changed)).endpoints)[0]


def refusal_of(**changed: Any) -> str:
    with pytest.raises(pulumi.RunError) as refused:
        deploy(**changed)
    return str(refused.value)


def unknown() -> pulumi.Output[Any]:
    """As a preview has it of a resource that is yet to be made."""

    def future(value: object) -> "asyncio.Future[Any]":
        resolved = asyncio.get_event_loop().create_future()
        resolved.set_result(value)
        return resolved

    return pulumi.Output(set(), future(None), future(False))


def test_all_objects_are_registered_under_the_component() -> None:
    _, monitor = run(lambda: ModelDeployment("model", args()).url)

    children = {kind for kind, parent in monitor.parents.items() if parent == "sealift:index:ModelDeployment"}
    assert children == {
        "Namespace", "ResourceQuota", "LimitRange", "ServiceAccount", "ConfigMap", "Secret", "Deployment", "Service",
        "ApiKey default", "Secret access",
    }  # fmt: skip


def test_an_autoscaled_model_has_an_autoscaler_and_a_budget_and_keeps_the_replicas_it_finds() -> None:
    cluster, monitor = run(lambda: ModelDeployment("model", args(autoscaling={"maxReplicas": 6})).url)
    objects = cluster.objects

    made, budget = objects["HorizontalPodAutoscaler"], objects["PodDisruptionBudget"]
    assert made["spec"]["scaleTargetRef"]["name"] == "model-1a2b3c4d"
    assert {made["metadata"]["namespace"], budget["metadata"]["namespace"]} == {"model-1a2b3c4d"}
    deployment = objects["Deployment"]
    assert budget["spec"]["selector"] == deployment["spec"]["selector"]
    assert (deployment["spec"]["replicas"], monitor.ignored["Deployment"]) == (2, ["spec.replicas"])
    assert deployment["metadata"]["annotations"] == {"sealift.dev/replicas": "2-6"}
    assert objects["ResourceQuota"]["spec"]["hard"]["limits.memory"] == "13Gi"


def test_without_autoscaling_the_update_owns_the_replicas() -> None:
    cluster, monitor = run(lambda: ModelDeployment("model", args()).url)

    assert not {"HorizontalPodAutoscaler", "PodDisruptionBudget"} & cluster.objects.keys()
    assert monitor.ignored["Deployment"] == []
    assert "annotations" not in cluster.objects["Deployment"]["metadata"]


def test_autoscaling_cannot_be_another_resource_s_output() -> None:
    assert "autoscaling is another resource's output; allowed: a value that is known when the program starts" in (
        refusal_of(autoscaling={"maxReplicas": pulumi.Output.from_input(6)})
    )


def test_the_defaults_are_three_replicas_of_half_a_cpu_to_one() -> None:
    spec = deploy().objects["Deployment"]["spec"]

    assert spec["replicas"] == 3
    assert spec["template"]["spec"]["containers"][0]["resources"] == {
        "requests": {"cpu": "500m", "memory": "500Mi"},
        "limits": {"cpu": "1", "memory": "1Gi"},
    }


def test_everything_lives_in_the_namespace_under_its_name_on_the_cluster() -> None:
    objects = deploy().objects

    assert "name" not in objects["Namespace"]["metadata"], "left to auto-naming"
    for kind in objects.keys() - {"Namespace", "ModelDeployment", "ApiKey default"}:
        assert objects[kind]["metadata"]["namespace"] == "model-1a2b3c4d", kind


def test_the_namespace_enforces_the_restricted_profile() -> None:
    labels = deploy().objects["Namespace"]["metadata"]["labels"]

    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert labels["app.kubernetes.io/instance"] == "model"


def test_pods_wait_for_the_quota_and_the_limit_range() -> None:
    _, monitor = run(lambda: ModelDeployment("model", args()).url)

    assert {"ResourceQuota", "LimitRange", "ConfigMap", "Secret", "ServiceAccount"} <= monitor.needs["Deployment"]


def test_the_key_is_a_secret_of_the_secret_object_and_appears_nowhere_else() -> None:
    objects = deploy().objects

    held = objects["Secret"]["stringData"]
    assert held == {"private.pem": {SECRET_MARK: "1b47061264138c4ac30d75fd1eb44270", "value": KEY}} or held == {
        SECRET_MARK: "1b47061264138c4ac30d75fd1eb44270",
        "value": {"private.pem": KEY},
    }
    assert [kind for kind, inputs in objects.items() if "PRIVATE KEY" in repr(inputs)] == ["Secret"]


SECRETS = ["ConfigMap", "Secret", "Secret access"]
"""The manifest was given as a secret; the SDK marks what is in a Secret by itself."""


def test_a_key_that_comes_as_a_secret_output_makes_nothing_else_secret() -> None:
    objects = deploy(privateKey=pulumi.Output.secret(KEY), manifest=pulumi.Output.secret("{}")).objects

    assert [kind for kind, inputs in objects.items() if SECRET_MARK in repr(inputs)] == SECRETS


def test_no_service_account_token_is_to_be_had() -> None:
    objects = deploy().objects

    assert objects["ServiceAccount"]["automountServiceAccountToken"] is False
    pod = objects["Deployment"]["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["serviceAccountName"] == "model-1a2b3c4d"


def test_the_pod_mounts_the_manifest_and_the_key_by_their_names_on_the_cluster() -> None:
    volumes = deploy().objects["Deployment"]["spec"]["template"]["spec"]["volumes"]

    assert [volume.get("configMap", {}).get("name") or volume["secret"]["secretName"] for volume in volumes] == [
        "model-manifest-1a2b3c4d",
        "model-key-1a2b3c4d",
        "model-access-1a2b3c4d",
    ]


def test_what_a_server_reads_again_keeps_its_name_when_its_content_changes() -> None:
    """The provider replaces a Secret of other content, and a name that it draws would be another one in the pods."""
    pem = self_signed()
    objects = deploy(tlsCertificate=pem.certificate, tlsPrivateKey=pem.key).objects

    assert objects["Secret access"]["metadata"]["name"] == "model-access"
    assert objects["Secret tls"]["metadata"]["name"] == "model-tls"
    assert "name" not in objects["Secret"]["metadata"], "another private key is read by new pods"


def test_the_server_is_told_digests_in_a_secret_and_never_a_key() -> None:
    dashboard = {"scopes": ["metrics"], "rotation": "2027"}
    objects = deploy(apiKeys={"app": {}, "dashboard": dashboard, "default": {"revoked": True}}).objects

    content = objects["Secret access"]["stringData"]["value"]["access.json"]
    access = parse(content.encode(), Path("access.json"))
    assert [(key.name, key.scopes, key.sha256) for key in access.keys] == [
        ("app", ["predict", "metadata", "metrics"], [digest("model-app")]),
        ("dashboard", ["metrics"], [digest("model-dashboard")]),
    ]
    assert objects["ApiKey dashboard"] == {"rotation": "2027", "overlap": True}
    assert "ApiKey default" not in objects
    assert "sealift_" not in repr(objects)


def test_keys_are_an_output_by_name_and_a_secret() -> None:
    found: dict[str, object] = {}

    async def told(keys: pulumi.Output[Any]) -> bool:
        found.update(secret=await keys.is_secret(), keys=await keys.future())
        return True

    def program() -> pulumi.Output[bool]:
        return pulumi.Output.from_input(told(ModelDeployment("model", args()).api_keys))

    run(program)

    assert found == {"keys": {"default": api_key("model-default")}, "secret": True}


def test_none_is_told_with_a_warning_and_mounts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda message, resource: warnings.append(message))

    checked = deploy().objects
    assert warnings == []
    objects = deploy(auth="none").objects

    assert len(warnings) == 1 and "anyone who reaches the service can send requests" in warnings[0]
    assert objects.keys() == checked.keys() - {"ApiKey default", "Secret access"}
    pod = objects["Deployment"]["spec"]["template"]["spec"]
    assert {volume["name"] for volume in pod["volumes"]} == {"manifest", "key"}


def test_a_certificate_travels_in_a_secret_of_its_type_and_its_key_appears_nowhere_else() -> None:
    pem = self_signed()
    objects = deploy(tlsCertificate=pem.certificate, tlsPrivateKey=pulumi.Output.secret(pem.key)).objects

    made = objects["Secret tls"]
    assert made["type"] == "kubernetes.io/tls"
    assert [kind for kind, inputs in objects.items() if pem.key.splitlines()[1] in repr(inputs)] == ["Secret tls"]
    assert SECRET_MARK in repr(made) and SECRET_MARK not in repr(objects["Deployment"])
    volumes = objects["Deployment"]["spec"]["template"]["spec"]["volumes"]
    assert volumes[-1]["secret"]["secretName"] == "model-tls-1a2b3c4d"


def test_half_a_certificate_is_refused() -> None:
    assert "tlsPrivateKey is missing, but tlsCertificate is set" in refusal_of(tlsCertificate="-----BEGIN CERT")
    assert "tlsPrivateKey is set, but tlsCertificate is missing" in refusal_of(tlsPrivateKey="-----BEGIN PRIVATE KEY")
    refusal = refusal_of(tlsCertificate="-----BEGIN CERT", tlsPrivateKey="secret words")
    assert "tlsPrivateKey" in refusal and "secret words" not in refusal


def test_a_certificate_beside_another_s_key_is_refused() -> None:
    refusal = refusal_of(tlsCertificate=self_signed().certificate, tlsPrivateKey=self_signed().key)
    assert "tlsPrivateKey does not belong to the first certificate in tlsCertificate" in refusal
    assert "BEGIN" not in refusal


def test_which_keys_there_are_cannot_be_another_resource_s_output() -> None:
    assert "apiKeys is another resource's output; allowed: a value that is known when the program starts" in refusal_of(
        apiKeys={"app": {"rotation": pulumi.Output.from_input("2027")}}
    )


def test_outputs_say_where_the_model_answers() -> None:
    found: dict[str, Any] = {}

    def program() -> pulumi.Output[Any]:
        model = ModelDeployment("model", args())
        outputs = pulumi.Output.all(
            url=model.url,
            namespace=model.namespace,
            service=model.service,
            deployment=model.deployment,
            endpoints=model.endpoints,
        )
        return outputs.apply(found.update)

    run(program)

    assert found.pop("endpoints")["infer"] == "http://model-1a2b3c4d.model-1a2b3c4d.svc:8080/v2/models/diabetes/infer"
    assert found == {
        "url": "http://model-1a2b3c4d.model-1a2b3c4d.svc:8080",
        "namespace": "model-1a2b3c4d",
        "service": "model-1a2b3c4d",
        "deployment": "model-1a2b3c4d",
    }


def test_every_input_may_be_an_output() -> None:
    given: dict[str, Any] = {
        "replicas": 2.0,  # as the engine sends numbers
        "cpuLimit": "2",
        "quota": {"limits.memory": pulumi.Output.from_input("8Gi")},
        "exposure": "nodePort",
        "nodePort": 30080.0,
        "labels": {"team": "ml"},
    }
    changed: dict[str, Any] = {name: pulumi.Output.from_input(value) for name, value in (GOOD | given).items()}

    objects = run(lambda: ModelDeployment("model", args(**changed)).url)[0].objects

    assert objects["Deployment"]["spec"]["replicas"] == 2
    assert objects["ResourceQuota"]["spec"]["hard"]["limits.memory"] == "8Gi"
    assert objects["ResourceQuota"]["spec"]["hard"]["limits.cpu"] == "10"
    assert objects["Service"]["spec"]["ports"][0]["nodePort"] == 30080
    assert objects["ConfigMap"]["metadata"]["labels"]["team"] == "ml"
    assert SECRET_MARK not in repr(objects["Deployment"])


def test_all_that_is_wrong_is_told_at_once_and_nothing_is_registered() -> None:
    cluster = Cluster()
    mocks.set_mocks(cluster)

    with pytest.raises(pulumi.RunError) as refused:
        ModelDeployment("model", args(replicas=0, memoryLimit="1Gb", image="model:latest"))

    message = str(refused.value)
    assert message.startswith('ModelDeployment "model" cannot be created:\n  ')
    assert "replicas is 0; allowed: a whole number from 1" in message
    assert "memoryLimit is '1Gb'" in message and "did you mean '1Gi' or '1G'?" in message
    assert "image is 'model:latest'" in message
    assert cluster.objects == {}


@pytest.mark.parametrize("replicas", [0, -1, 1.5])
def test_replicas_that_cannot_be_are_refused(replicas: object) -> None:
    assert f"replicas is {replicas!r}; allowed: a whole number from 1" in refusal_of(replicas=replicas)


def test_a_quota_too_small_for_replicas_and_surge_is_refused_with_the_numbers() -> None:
    message = refusal_of(quota={"limits.memory": "3Gi"})

    assert (
        "quota[\"limits.memory\"] is '3Gi', but '4Gi' is needed: 3 replicas + 1 while rolling = 4 pods of '1Gi'"
        in message
    )
    assert message.splitlines()[-1].startswith("hint: raise the quota")


def test_values_that_come_as_outputs_are_refused_as_well_and_nothing_is_registered() -> None:
    def program() -> pulumi.Output[str]:
        replicas, image = pulumi.Output.from_input(0), pulumi.Output.from_input("model:latest")
        return ModelDeployment("model", args(replicas=replicas, image=image)).url

    with pytest.raises(pulumi.RunError, match=r"replicas is 0(?s:.*)image is 'model:latest'"):
        run(program)
    assert registered_kinds() <= {"Stack", "ModelDeployment"}


def test_a_secret_that_is_refused_is_named_and_not_shown() -> None:
    def program() -> pulumi.Output[str]:
        secrets = {"memoryLimit": pulumi.Output.secret("77Gb"), "quota": {"pods": pulumi.Output.secret("nine")}}
        return ModelDeployment("model", args(**secrets)).url

    with pytest.raises(pulumi.RunError) as refused:
        run(program)
    message = str(refused.value)
    assert "memoryLimit is not allowed; its value is a secret" in message
    assert "77Gb" not in message and "nine" not in message


def test_a_preview_that_does_not_know_the_image_still_refuses_the_rest() -> None:
    def program() -> pulumi.Output[str]:
        artifact = {name: unknown() for name in ("image", "manifest", "artifactId", "payloadDigest", "privateKey")}
        return ModelDeployment("model", args(**artifact, memoryLimit=pulumi.Output.from_input("1Gb"))).url

    with pytest.raises(pulumi.RunError, match="memoryLimit is '1Gb'"):
        run(program, preview=True)


def test_a_preview_that_does_not_know_the_image_shows_all_else() -> None:
    def program() -> pulumi.Output[str]:
        artifact = {name: unknown() for name in ("image", "manifest", "artifactId", "payloadDigest")}
        return ModelDeployment("model", args(**artifact)).url

    objects = run(program, preview=True)[0].objects

    spec = objects["Deployment"]["spec"]
    server = spec["template"]["spec"]["containers"][0]
    assert isinstance(server["image"], pulumi.output.Unknown)
    assert (spec["replicas"], server["resources"]["limits"]["memory"]) == (3, "1Gi")
    assert objects["ResourceQuota"]["spec"]["hard"]["limits.memory"] == "7Gi"


def test_a_name_that_kubernetes_would_refuse_is_refused_first() -> None:
    mocks.set_mocks(Cluster())

    with pytest.raises(pulumi.RunError, match=r"name is 'My Model'; allowed: at most 45 of a-z"):
        ModelDeployment("My Model", args())
