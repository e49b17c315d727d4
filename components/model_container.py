"""`ModelContainer`: one sealed model, served from a container of a Docker engine, for machines without Kubernetes.

This module only wires: container_spec.py describes the container, settings/container.py its settings. Any change except
of the memory limit stops the old container, which first answers its accepted requests, and then starts a new one. A
port of the machine belongs to one container at a time, so requests fail for some seconds.
"""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_docker as docker

from components import container_spec
from components.api_keys import ApiKeys, warn_of_access
from components.args import ModelContainerArgs
from components.endpoints import endpoints
from components.rolling import takes_over
from components.server_files import ACCESS, folders_of
from components.server_version import ServerVersion
from components.serving_key import serving_key
from components.settings.container import ContainerSettings, ModelContainerInputs
from components.settings.server import HANDED_ON, SHAPES
from components.validated_args import Checked


class ModelContainer(pulumi.ComponentResource):
    """Container of a Docker engine that serves one model, with its API keys."""

    url: pulumi.Output[str]
    """URL of the served model, known once it answers."""
    container: pulumi.Output[str]
    """Name of the container on the Docker engine."""
    endpoints: pulumi.Output[Mapping[str, str]]
    """URLs of the model's endpoints, by purpose: live, ready, metadata, modelReady, infer."""
    api_keys: pulumi.Output[Mapping[str, str]]
    """API keys of clients, by name. Empty with `auth: none`. Secret."""
    grpc_address: pulumi.Output[str | None]
    """Address of the gRPC server, `ADDRESS:PORT`. Not set without `grpc`."""

    def __init__(self, name: str, args: ModelContainerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Raises pulumi.RunError with all problems of `args`."""
        what, stack = f'ModelContainer "{name}"', f"{pulumi.get_project()}/{pulumi.get_stack()}"
        checked = Checked(what, ModelContainerInputs, args, known=SHAPES)
        super().__init__("sealift:index:ModelContainer", name, {}, opts)

        settings = checked.settings(*HANDED_ON)
        keys = ApiKeys(name, checked.plain.valid_api_keys, settings, pulumi.ResourceOptions(parent=self))
        warn_of_access(self, checked.plain)
        handed_on = {**args, "privateKey": serving_key(what, args["privateKey"], args["manifest"])}
        version, folders = ServerVersion(name, handed_on), folders_of(checked.plain)
        # Each value that a preview does not know is a separate output, so that only that value shows as changed.
        spec = settings.apply(lambda known: container_spec.container(known, version, stack=stack))
        access: pulumi.Output[Any] = keys.access_data() if ACCESS in folders else pulumi.Output.from_input({})
        hidden: pulumi.Output[Any] = pulumi.Output.secret(access)
        uploads = hidden.apply(lambda known: container_spec.uploads(version, folders, known))
        container = docker.Container(
            name,
            **{key: spec[key] for key in container_spec.PROPERTIES},
            uploads=_uploads(uploads),
            # Two containers would open the same ports.
            opts=pulumi.ResourceOptions(
                parent=self,
                delete_before_replace=True,
                additional_secret_outputs=["uploads"],
                hooks=pulumi.ResourceHookBinding(before_create=[takes_over(self, what, name, stack, settings)]),
            ),
        )
        self._set_outputs(container.name, settings, args, keys)

    def _set_outputs(
        self,
        container: pulumi.Output[str],
        settings: pulumi.Output[ContainerSettings],
        args: ModelContainerArgs,
        keys: ApiKeys,
    ) -> None:
        self.container = container
        # The URL depends on the container's name, so that users of the URL wait until the container is healthy.
        self.url = pulumi.Output.all(settings, container).apply(lambda known: container_spec.url(known[0]))
        self.endpoints = pulumi.Output.all(self.url, args["modelName"]).apply(lambda known: endpoints(*known))
        self.grpc_address = pulumi.Output.all(settings, container).apply(
            lambda known: container_spec.grpc_address(known[0])
        )
        self.api_keys = keys.by_name()
        self.register_outputs(
            {
                "url": self.url,
                "container": self.container,
                "endpoints": self.endpoints,
                "grpcAddress": self.grpc_address,
                "apiKeys": self.api_keys,
            }
        )


def _uploads(uploads: pulumi.Output[list[container_spec.Properties]]) -> Any:
    """Casts the uploads: the SDK accepts dictionaries, but its types allow only its own classes."""
    return uploads
