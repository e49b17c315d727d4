"""The objects of a version, on Pulumi's mocks: two of them stand side by side under one component."""

from typing import Any

import pulumi
from pulumi.runtime import mocks

from components.model_namespace import ModelNamespace
from components.server_files import folders_of
from components.server_objects import ServerObjects
from components.server_version import ServerVersion
from components.settings.deployment import ModelDeploymentInputs
from components.settings.server import HANDED_ON
from components.validated_args import Checked
from tests.unit.components.test_model_deployment import Cluster, args, event_loop, run

__all__ = ["event_loop"]

NAMES = ("model", "model-canary")


class ByName(Cluster):
    """Keeps every object by kind and name."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        self.objects[f"{args.typ.split(':')[-1]} {args.name}"] = args.inputs
        if not args.custom:
            return None, {}
        metadata = {"name": f"{args.name}-1a2b3c4d"} | args.inputs["metadata"]
        return f"{args.name}-id", args.inputs | {"metadata": metadata}


def two_versions() -> dict[str, Any]:
    """The old model, scaled by somebody else, and a new one beside it, with one pod."""

    def program() -> object:
        component = pulumi.ComponentResource("test:index:Two", "model")
        given = [args(), args(artifactId="ef" * 16, manifest='{"version":2}')]
        checked = Checked("Two", ModelDeploymentInputs, given[0])
        settings, folders = checked.settings(*HANDED_ON), folders_of(checked.plain)
        namespace = ModelNamespace("model", settings, component)
        versions = [ServerVersion(name, inputs) for name, inputs in zip(NAMES, given, strict=True)]
        held = [{folder: version.contents(folder, {"access.json": "{}"}) for folder in folders} for version in versions]
        old = ServerObjects(component, namespace, versions[0], settings, held[0], replicas=lambda known: None)
        new = ServerObjects(component, namespace, versions[1], settings, held[1], replicas=lambda known: 1)
        return pulumi.Output.all(old.deployment.metadata, new.deployment.metadata)

    return run(program, answers=ByName())[0].objects


def test_two_versions_share_the_namespace_and_nothing_else() -> None:
    objects = two_versions()

    assert objects.keys() - {"Two model", "Stack stack", "Stack project-stack"} == {
        *(f"{kind} model" for kind in ("Namespace", "ResourceQuota", "LimitRange", "ServiceAccount")),
        *(f"Deployment {name}" for name in NAMES),
        *(f"ConfigMap {name}-manifest" for name in NAMES),
        *(f"Secret {name}-{folder}" for name in NAMES for folder in ("key", "access")),
    }
    inside = [inputs for kind, inputs in objects.items() if kind.startswith(("Deployment ", "Secret ", "ConfigMap "))]
    assert {inputs["metadata"]["namespace"] for inputs in inside} == {"model-1a2b3c4d"}


def test_each_version_mounts_its_own_files_and_opens_its_own_artifact() -> None:
    objects = two_versions()

    for name, artifact in zip(NAMES, ("ab" * 16, "ef" * 16), strict=True):
        template = objects[f"Deployment {name}"]["spec"]["template"]
        volumes = template["spec"]["volumes"]
        assert [one.get("configMap", {}).get("name") or one["secret"]["secretName"] for one in volumes] == [
            f"{name}-manifest-1a2b3c4d", f"{name}-key-1a2b3c4d", f"{name}-access",
        ]  # fmt: skip
        command = template["spec"]["containers"][0]["args"]
        assert command[command.index("--artifact-id") + 1] == artifact
        assert template["metadata"]["annotations"]["sealift.dev/artifact-id"] == artifact


def test_neither_version_s_deployment_selects_the_other_s_pods_and_each_has_its_own_number_of_them() -> None:
    objects = two_versions()

    specs = [objects[f"Deployment {name}"]["spec"] for name in NAMES]
    selectors = [spec["selector"]["matchLabels"].items() for spec in specs]
    pods = [spec["template"]["metadata"]["labels"].items() for spec in specs]
    assert [[selector <= labels for labels in pods] for selector in selectors] == [[True, False], [False, True]]
    assert [spec.get("replicas") for spec in specs] == [None, 1]
