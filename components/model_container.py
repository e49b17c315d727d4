"""`ModelContainer`: one sealed model, served from a container of a Docker engine, for those who have no Kubernetes.

Only wires: what the container is like is in container_spec.py, what it may be told in container_settings.py. Any change
ends the old container, which answers what it has taken, and then starts a new one: for a second nothing answers.
"""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_docker as docker

from components import container_spec, server_files
from components.args import ModelContainerArgs
from components.checked import Checked
from components.client_keys import ClientKeys
from components.container_settings import ModelContainerInputs
from components.server_settings import HANDED_ON, OPEN, SHAPES
from serving import places


class ModelContainer(pulumi.ComponentResource):
    """Container of one model, and its clients' keys."""

    url: pulumi.Output[str]
    """Where the model answers, known once it does."""
    container: pulumi.Output[str]
    """Name of the container on the engine."""
    endpoints: pulumi.Output[Mapping[str, str]]
    """Addresses by what they are for: live, ready, metadata, modelReady, infer."""
    api_keys: pulumi.Output[Mapping[str, str]]
    """Clients' keys, by name; none with `auth: none`. Secret."""
    grpc_address: pulumi.Output[str | None]
    """Where gRPC is served, `ADDRESS:PORT`; none without `grpc`."""

    def __init__(self, name: str, args: ModelContainerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Raises pulumi.RunError with all that is wrong with `args`."""
        checked = Checked(f'ModelContainer "{name}"', ModelContainerInputs, args, known=SHAPES)
        super().__init__("sealift:index:ModelContainer", name, {}, opts)

        settings = checked.settings(*HANDED_ON)
        keys = ClientKeys(name, checked.plain.client_keys, settings, pulumi.ResourceOptions(parent=self))
        files: dict[str, pulumi.Input[Mapping[str, object]]] = {
            places.MANIFEST_FOLDER: server_files.manifest_data(args["manifest"]),
            places.KEY_FOLDER: server_files.key_data(args["privateKey"]),
        }
        if checked.plain.auth == "none":
            pulumi.log.warn(OPEN, self)
        else:
            files[places.ACCESS_FOLDER] = keys.access_data()
        if checked.plain.tls_certificate is not None:
            files[places.TLS_FOLDER] = server_files.tls_data(args.get("tlsCertificate"), args.get("tlsPrivateKey"))
        told = pulumi.Output.all(settings, args["image"], args["artifactId"], args["payloadDigest"])
        spec = told.apply(
            lambda known: container_spec.container(
                known[0], name, image=known[1], artifact_id=known[2], payload_digest=known[3]
            )
        )
        uploads: pulumi.Output[Any] = pulumi.Output.all(**files).apply(container_spec.uploads)
        container = docker.Container(
            name,
            **{key: spec[key] for key in container_spec.PROPERTIES},
            uploads=pulumi.Output.secret(uploads),
            # Two of them would open the same ports.
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True, additional_secret_outputs=["uploads"]),
        )

        self.container = container.name
        # The container's name is there so that whoever uses the URL waits until it is healthy.
        self.url = pulumi.Output.all(settings, container.name).apply(lambda known: container_spec.url(known[0]))
        self.endpoints = pulumi.Output.all(self.url, args["modelName"]).apply(
            lambda known: server_files.endpoints(*known)
        )
        self.grpc_address = pulumi.Output.all(settings, container.name).apply(
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
