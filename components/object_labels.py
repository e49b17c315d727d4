"""The labels of what serves one model, on Kubernetes and on a Docker engine. Pure."""

from collections.abc import Mapping
from typing import Final

NAME: Final = "app.kubernetes.io/name"
INSTANCE: Final = "app.kubernetes.io/instance"
MODEL: Final = "sealift.dev/model"
RESERVED: Final = (NAME, INSTANCE, MODEL)
"""That are set here, and by nobody else."""


def selector_labels(*instances: str) -> dict[str, str]:
    """What tells the pods of these versions. A Deployment's selector cannot change, so nothing in it comes from config.

    Of several versions it is what their pods have in common; their namespace holds no other model's.
    """
    return {NAME: "sealift"} | ({INSTANCE: instances[0]} if len(instances) == 1 else {})


def object_labels(instance: str, model_name: object, labels: Mapping[str, str]) -> dict[str, object]:
    """On every object of the model, with those that the user gives."""
    return {**labels, **selector_labels(instance), MODEL: model_name}
