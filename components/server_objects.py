"""The Kubernetes objects of one version of a model's server. This module only wires: pod_spec.py describes the objects,
server_files.py the files.
"""

from collections.abc import Callable, Mapping, Sequence

import pulumi
import pulumi_kubernetes as kubernetes

from components import pod_spec
from components.api_object import api_object
from components.autoscaler_spec import deployment_annotations
from components.model_namespace import ModelNamespace
from components.server_files import ServerFolder
from components.server_version import ServerVersion
from components.settings.deployment import DeploymentSettings


class ServerObjects:
    """A ConfigMap or Secret for each of the server's folders, and the Deployment that mounts them.

    Objects of several versions can exist in one namespace.
    """

    def __init__(
        self,
        component: pulumi.ComponentResource,
        namespace: ModelNamespace,
        version: ServerVersion,
        settings: pulumi.Output[DeploymentSettings],
        folders: Mapping[ServerFolder, object],
        *,
        replicas: Callable[[DeploymentSettings], int | None] = lambda known: known.first_replicas,
        ignore_changes: Sequence[str] = (),
        hooks: pulumi.ResourceHookBinding | None = None,
    ) -> None:
        """Creates the objects as children of the component. `folders` maps folders to their contents. `replicas`
        returns None if another controller sets the number of pods. `ignore_changes` are fields of the Deployment that
        another controller changes.
        """
        self._component, self._namespace, self._version = component, namespace, version
        object_names = {folder.name: self._files(folder, contents) for folder, contents in folders.items()}
        spec = settings.apply(
            lambda known: pod_spec.deployment(
                known,
                version,
                replicas=replicas(known),
                labels=namespace.labels(version.name),
                object_names=object_names,
                service_account=namespace.service_account,
            )
        )
        self.deployment = kubernetes.apps.v1.Deployment(
            version.name,
            metadata=api_object(settings.apply(self._deployment_metadata)),
            spec=api_object(spec),
            opts=pulumi.ResourceOptions(
                parent=component, depends_on=namespace.bounds, hooks=hooks, ignore_changes=[*ignore_changes]
            ),
        )

    def _deployment_metadata(self, settings: DeploymentSettings) -> Mapping[str, object]:
        annotations = deployment_annotations(settings)
        metadata = self._namespace.metadata(self._version.name)
        return {**metadata, "annotations": annotations} if annotations else metadata

    def _files(self, folder: ServerFolder, contents: object) -> pulumi.Output[str]:
        """Creates the object with the folder's files and returns its name on the cluster."""
        name, child = f"{self._version.name}-{folder.name}", pulumi.ResourceOptions(parent=self._component)
        metadata = self._namespace.metadata(self._version.name)
        # An object that the server reads again has a fixed name: with auto-naming, new content would make an object
        # with another name, which would roll the pods.
        metadata = api_object({**metadata, "name": name} if folder.read_again else metadata)
        if not folder.secret:
            held = kubernetes.core.v1.ConfigMap(name, metadata=metadata, data=api_object(contents), opts=child)
            return pulumi.Output.from_input(held.metadata.name)
        secret = kubernetes.core.v1.Secret(
            name, metadata=metadata, type=folder.object_type, string_data=api_object(contents), opts=child
        )
        return pulumi.Output.from_input(secret.metadata.name)
