"""The cluster's own control of the number of pods. This module only wires: autoscaler_spec.py describes the objects."""

import pulumi
import pulumi_kubernetes as kubernetes

from components import autoscaler_spec
from components.api_object import api_object
from components.model_namespace import ModelNamespace
from components.settings.autoscaling import Autoscaling


class Autoscaler:
    """HorizontalPodAutoscaler and PodDisruptionBudget of one version's Deployment."""

    def __init__(
        self,
        component: pulumi.ComponentResource,
        namespace: ModelNamespace,
        instance: str,
        deployment: kubernetes.apps.v1.Deployment,
        scaling: Autoscaling,
        hooks: pulumi.ResourceHookBinding,
    ) -> None:
        """Creates the objects as children of the component. `instance` is the version's name, `hooks` are the
        autoscaler's.
        """
        metadata = api_object(namespace.metadata(instance))
        kubernetes.policy.v1.PodDisruptionBudget(
            instance,
            metadata=metadata,
            spec=api_object(autoscaler_spec.disruption_budget(instance)),
            opts=pulumi.ResourceOptions(parent=component),
        )
        kubernetes.autoscaling.v2.HorizontalPodAutoscaler(
            instance,
            metadata=metadata,
            spec=api_object(autoscaler_spec.autoscaler(scaling, deployment.metadata.name)),
            opts=pulumi.ResourceOptions(parent=component, hooks=hooks),
        )
