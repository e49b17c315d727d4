"""The namespace of one model, with the objects that its pods need in any version. This module only wires."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from components import pod_spec
from components.api_object import api_object
from components.object_labels import object_labels
from components.settings.deployment import DeploymentSettings


class ModelNamespace:
    """Namespace, ResourceQuota, LimitRange and ServiceAccount."""

    def __init__(
        self, name: str, settings: pulumi.Output[DeploymentSettings], component: pulumi.ComponentResource
    ) -> None:
        """`name` is the prefix of the objects' names. The objects are children of the component."""
        child = pulumi.ResourceOptions(parent=component)
        self._settings = settings
        secured = self.labels(name).apply(lambda labels: {"labels": labels | pod_spec.pod_security_labels()})
        namespace = kubernetes.core.v1.Namespace(name, metadata=api_object(secured), opts=child)
        self.name: pulumi.Output[str] = namespace.metadata.name
        metadata = api_object(self.metadata(name))
        quota = settings.apply(pod_spec.resource_quota)
        limits = settings.apply(lambda known: pod_spec.limit_range(known.pod))
        account = kubernetes.core.v1.ServiceAccount(
            name, metadata=metadata, automount_service_account_token=False, opts=child
        )
        self.service_account: pulumi.Output[str] = account.metadata.name
        self.bounds: list[pulumi.Resource] = [
            kubernetes.core.v1.ResourceQuota(name, metadata=metadata, spec=api_object(quota), opts=child),
            kubernetes.core.v1.LimitRange(name, metadata=metadata, spec=api_object(limits), opts=child),
        ]
        """Objects that must exist before pods: the quota does not count earlier pods, and it refuses pods without
        resources."""

    def labels(self, instance: str) -> pulumi.Output[Any]:
        """Returns the labels of the objects of the version `instance`."""
        return self._settings.apply(lambda known: object_labels(instance, known.model_name, known.labels))

    def metadata(self, instance: str) -> Mapping[str, object]:
        """Returns the metadata of an object in the namespace."""
        return {"namespace": self.name, "labels": self.labels(instance)}
