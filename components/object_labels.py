"""The labels of what serves one model, on Kubernetes and on a Docker engine. Pure."""

from collections.abc import Mapping
from typing import Final

NAME: Final = "app.kubernetes.io/name"
INSTANCE: Final = "app.kubernetes.io/instance"
MODEL: Final = "sealift.dev/model"
RESERVED: Final = (NAME, INSTANCE, MODEL)
"""That are set here, and by nobody else."""


def selector_labels(instance: str) -> dict[str, str]:
    """What tells this deployment's pods. A Deployment's selector cannot change, so nothing in it comes from config."""
    return {NAME: "sealift", INSTANCE: instance}


def object_labels(instance: str, model_name: object, labels: Mapping[str, str]) -> dict[str, object]:
    """On every object of the model, with those that the user gives."""
    return {**labels, **selector_labels(instance), MODEL: model_name}
