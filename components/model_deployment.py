"""`ModelDeployment`: one sealed model, served from a namespace of its own on Kubernetes.

Only wires: what the objects say is in pod_spec.py, what a deployment may be in deployment_settings.py. Everything is
checked before the first object is registered, in previews too; values that a preview does not know yet are checked by
the update.
"""

import os
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi import ResourceHookBinding as Hooks

from components import pod_spec, rolling, server_files
from components.args import ModelDeploymentArgs
from components.checked import Checked
from components.client_keys import ClientKeys, warn_of_access
from components.deployment_settings import ModelDeploymentInputs, component_name_problems
from components.object_labels import object_labels
from components.pod_spec import Spec
from components.reach import missing_kubeconfig
from components.server_settings import HANDED_ON, SHAPES


class ModelDeployment(pulumi.ComponentResource):
    """Namespace, ResourceQuota, LimitRange, ServiceAccount, ConfigMap, Secrets, Deployment and Service of one model,
    and its clients' keys.
    """

    url: pulumi.Output[str]
    """Where the model answers, known once it does: `http://127.0.0.1:NODEPORT`, or the Service's cluster address."""
    namespace: pulumi.Output[str]
    """Name of the namespace on the cluster."""
    service: pulumi.Output[str]
    """Name of the Service on the cluster."""
    deployment: pulumi.Output[str]
    """Name of the Deployment on the cluster."""
    endpoints: pulumi.Output[Mapping[str, str]]
    """Addresses by what they are for: live, ready, metadata, modelReady, infer."""
    api_keys: pulumi.Output[Mapping[str, str]]
    """Clients' keys, by name; none with `auth: none`. Secret."""
    grpc_address: pulumi.Output[str | None]
    """Where gRPC is served, `127.0.0.1:NODEPORT` or the Service's cluster address; none without `grpc`."""

    def __init__(self, name: str, args: ModelDeploymentArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """`name`, at most 45 of a-z, 0-9 and "-", begins the objects' names on the cluster.

        Raises pulumi.RunError with all that is wrong with `args`.
        """
        what = f'ModelDeployment "{name}"'
        checked = Checked(what, ModelDeploymentInputs, args, *component_name_problems(name), known=SHAPES)
        missing = missing_kubeconfig(os.environ)
        if missing is not None and pulumi.Config("kubernetes").get("kubeconfig") is None and not _has_provider(opts):
            raise pulumi.RunError(f"{what} cannot be made:\n  {missing}")
        super().__init__("sealift:index:ModelDeployment", name, {}, opts)

        settings = checked.settings(*HANDED_ON)
        labels_of_all = settings.apply(lambda known: object_labels(name, known.model_name, known.labels))
        child = pulumi.ResourceOptions(parent=self)
        keys = ClientKeys(name, checked.plain.client_keys, settings, child)

        namespace = kubernetes.core.v1.Namespace(
            name,
            metadata=_spec(labels_of_all.apply(lambda labels: {"labels": labels | pod_spec.pod_security_labels()})),
            opts=child,
        )
        metadata = {"namespace": namespace.metadata.name, "labels": labels_of_all}
        quota_object = kubernetes.core.v1.ResourceQuota(
            name, metadata=_spec(metadata), spec=_spec(settings.apply(pod_spec.resource_quota)), opts=child
        )
        limit_range = kubernetes.core.v1.LimitRange(
            name,
            metadata=_spec(metadata),
            spec=_spec(settings.apply(lambda known: pod_spec.limit_range(known.pod))),
            opts=child,
        )
        service_account = kubernetes.core.v1.ServiceAccount(
            name, metadata=_spec(metadata), automount_service_account_token=False, opts=child
        )
        manifest_object = kubernetes.core.v1.ConfigMap(
            f"{name}-manifest",
            metadata=_spec(metadata),
            data=_spec(server_files.manifest_data(args["manifest"])),
            opts=child,
        )
        key = kubernetes.core.v1.Secret(
            f"{name}-key",
            metadata=_spec(metadata),
            string_data=_spec(server_files.key_data(pulumi.Output.secret(args["privateKey"]))),
            opts=child,
        )
        # What the server reads again while it runs has a name of its own: a Secret of new content is another object to
        # the provider, and under another name it would roll the pods.
        warn_of_access(self, checked.plain)
        if checked.plain.auth == "none":
            access_name = None
        else:
            access = kubernetes.core.v1.Secret(
                f"{name}-access",
                metadata=_spec(metadata | {"name": f"{name}-access"}),
                string_data=_spec(keys.access_data()),
                opts=child,
            )
            access_name = access.metadata.name
        tls_name = None
        if checked.plain.tls_certificate is not None:
            tls = kubernetes.core.v1.Secret(
                f"{name}-tls",
                metadata=_spec(metadata | {"name": f"{name}-tls"}),
                type="kubernetes.io/tls",
                string_data=_spec(
                    server_files.tls_data(args.get("tlsCertificate"), pulumi.Output.secret(args.get("tlsPrivateKey")))
                ),
                opts=child,
            )
            tls_name = tls.metadata.name
        deployment = kubernetes.apps.v1.Deployment(
            name,
            metadata=_spec(metadata),
            spec=_spec(
                settings.apply(
                    lambda known: pod_spec.deployment(
                        known,
                        name,
                        labels=labels_of_all,
                        image=args["image"],
                        artifact_id=args["artifactId"],
                        payload_digest=args["payloadDigest"],
                        manifest_name=manifest_object.metadata.name,
                        key_name=key.metadata.name,
                        access_name=access_name,
                        tls_name=tls_name,
                        service_account=service_account.metadata.name,
                    )
                )
            ),
            # Pods that the quota does not see are not counted, and pods without figures are refused by it.
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[quota_object, limit_range],
                hooks=Hooks(before_update=[rolling.fits_beside(what, name, settings)]),
            ),
        )
        service = kubernetes.core.v1.Service(
            name,
            metadata=_spec(metadata | {"annotations": settings.apply(pod_spec.service_annotations)}),
            spec=_spec(settings.apply(lambda known: pod_spec.service(known, name))),
            # After the pods: a Service waits for endpoints, and would wait for minutes on pods that cannot start.
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[deployment],
                hooks=Hooks(
                    # A provider of the program's own may ask another cluster than kubectl does.
                    before_create=[] if _has_provider(opts) else [rolling.finds_free(what, name)],
                    before_update=[rolling.locks_out(self, name, settings)],
                ),
            ),
        )

        self.namespace = namespace.metadata.name
        self.service = service.metadata.name
        self.deployment = deployment.metadata.name
        # The Deployment's name is there so that whoever uses the URL waits until its pods are ready.
        self.url = pulumi.Output.all(settings, self.service, self.namespace, self.deployment).apply(
            lambda known: pod_spec.url(known[0], service_name=known[1], namespace=known[2])
        )
        self.endpoints = pulumi.Output.all(self.url, args["modelName"]).apply(
            lambda known: server_files.endpoints(*known)
        )
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


def _has_provider(opts: pulumi.ResourceOptions | None) -> bool:
    return opts is not None and bool(opts.provider or opts.providers or opts.parent)


def _spec(spec: Mapping[str, object] | pulumi.Output[Spec]) -> Any:
    """The Kubernetes SDK takes camelCase dictionaries as the API has them; its types know only its own classes."""
    return spec
