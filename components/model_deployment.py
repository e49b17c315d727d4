"""`ModelDeployment`: one sealed model, served from its own namespace on Kubernetes.

This module only wires: pod_spec.py describes the objects, settings/deployment.py the settings. Everything is checked
before the first object is registered, in previews too. The update checks values that a preview does not know.
"""

import os
from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi import ResourceHookBinding as Hooks

from components import pod_spec, rolling
from components.api_keys import ApiKeys, warn_of_access
from components.api_object import api_object
from components.args import ModelDeploymentArgs
from components.autoscaler import Autoscaler
from components.autoscaler_spec import REPLICAS_PATH
from components.endpoints import endpoints
from components.model_namespace import ModelNamespace
from components.reach import find_missing_kubeconfig
from components.server_files import folders_of
from components.server_objects import ServerObjects
from components.server_version import ServerVersion
from components.serving_key import serving_key
from components.settings.deployment import DeploymentSettings, ModelDeploymentInputs, component_name_problems
from components.settings.server import HANDED_ON, SHAPES
from components.validated_args import Checked


class ModelDeployment(pulumi.ComponentResource):
    """Namespace, ResourceQuota, LimitRange, ServiceAccount, ConfigMap, Secrets, Deployment and Service of one served
    model, with its API keys. With `autoscaling`, also a HorizontalPodAutoscaler and a PodDisruptionBudget.
    """

    url: pulumi.Output[str]
    """URL of the served model, known once it answers: `http://127.0.0.1:NODEPORT`, or the Service's cluster address."""
    namespace: pulumi.Output[str]
    """Name of the namespace on the cluster."""
    service: pulumi.Output[str]
    """Name of the Service on the cluster."""
    deployment: pulumi.Output[str]
    """Name of the Deployment on the cluster."""
    endpoints: pulumi.Output[Mapping[str, str]]
    """URLs of the model's endpoints, by purpose: live, ready, metadata, modelReady, infer."""
    api_keys: pulumi.Output[Mapping[str, str]]
    """API keys of clients, by name. Empty with `auth: none`. Secret."""
    grpc_address: pulumi.Output[str | None]
    """Address of the gRPC server: `127.0.0.1:NODEPORT`, or the Service's cluster address. Not set without `grpc`."""

    def __init__(self, name: str, args: ModelDeploymentArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """`name`, at most 45 of a-z, 0-9 and "-", is the prefix of the objects' names on the cluster.

        Raises pulumi.RunError with all problems of `args`.
        """
        what = f'ModelDeployment "{name}"'
        checked = Checked(
            what, ModelDeploymentInputs, args, *component_name_problems(name), known=(*SHAPES, "autoscaling")
        )
        _refuse_missing_cluster(what, opts)
        super().__init__("sealift:index:ModelDeployment", name, {}, opts)

        settings = checked.settings(*HANDED_ON)
        keys = ApiKeys(name, checked.plain.valid_api_keys, settings, pulumi.ResourceOptions(parent=self))
        warn_of_access(self, checked.plain)
        namespace = ModelNamespace(name, settings, self)
        handed_on = {**args, "privateKey": serving_key(what, args["privateKey"], args["manifest"])}
        version, access = ServerVersion(name, handed_on), keys.access_data()
        folders = {folder: version.contents(folder, access) for folder in folders_of(checked.plain)}
        fits = Hooks(
            before_update=[
                rolling.fits_beside(what, name, settings),
                rolling.ends_autoscaling(what, name, settings),
            ]
        )
        scaling = checked.plain.autoscaling
        left = [] if scaling is None else [REPLICAS_PATH]
        server = ServerObjects(self, namespace, version, settings, folders, hooks=fits, ignore_changes=left)
        if scaling is not None:
            metrics = [] if _has_provider(opts) else [rolling.finds_metrics(self, name, settings)]
            finds = Hooks(before_create=[*metrics], before_update=[*metrics])
            Autoscaler(self, namespace, version.name, server.deployment, scaling, finds)
        service = kubernetes.core.v1.Service(
            name,
            metadata=api_object(
                {**namespace.metadata(name), "annotations": settings.apply(pod_spec.service_annotations)}
            ),
            spec=api_object(settings.apply(lambda known: pod_spec.service(known, version.name))),
            # After the pods: a Service waits for endpoints, and would wait minutes for pods that cannot start.
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[server.deployment],
                hooks=Hooks(
                    # A provider that the program creates may use another cluster than kubectl.
                    before_create=[] if _has_provider(opts) else [rolling.finds_free(what, name)],
                    before_update=[rolling.locks_out(self, name, settings)],
                ),
            ),
        )
        self.namespace, self.deployment = namespace.name, server.deployment.metadata.name
        self._set_outputs(service, settings, args, keys)

    def _set_outputs(
        self,
        service: kubernetes.core.v1.Service,
        settings: pulumi.Output[DeploymentSettings],
        args: ModelDeploymentArgs,
        keys: ApiKeys,
    ) -> None:
        self.service = service.metadata.name
        # The URL depends on the Deployment's name, so that users of the URL wait until its pods are ready.
        self.url = pulumi.Output.all(settings, self.service, self.namespace, self.deployment).apply(
            lambda known: pod_spec.url(known[0], service_name=known[1], namespace=known[2])
        )
        self.endpoints = pulumi.Output.all(self.url, args["modelName"]).apply(lambda known: endpoints(*known))
        self.grpc_address = pulumi.Output.all(settings, self.service, self.namespace, service.spec).apply(
            lambda known: pod_spec.grpc_address(known[0], service_name=known[1], namespace=known[2], spec=known[3])
        )
        self.api_keys = keys.by_name()
        self.register_outputs(
            {
                "url": self.url,
                "namespace": self.namespace,
                "service": self.service,
                "deployment": self.deployment,
                "endpoints": self.endpoints,
                "grpcAddress": self.grpc_address,
                "apiKeys": self.api_keys,
            }
        )


def _refuse_missing_cluster(what: str, opts: pulumi.ResourceOptions | None) -> None:
    missing = find_missing_kubeconfig(os.environ)
    if missing is not None and pulumi.Config("kubernetes").get("kubeconfig") is None and not _has_provider(opts):
        raise pulumi.RunError(f"{what} cannot be created:\n  {missing}")


def _has_provider(opts: pulumi.ResourceOptions | None) -> bool:
    return opts is not None and bool(opts.provider or opts.providers or opts.parent)
