"""Labels of the objects that serve one model, on Kubernetes and on a Docker engine. Pure."""

from collections.abc import Mapping
from typing import Final

NAME: Final = "app.kubernetes.io/name"
INSTANCE: Final = "app.kubernetes.io/instance"
MODEL: Final = "sealift.dev/model"
RESERVED: Final = (NAME, INSTANCE, MODEL)
"""Labels that only this module sets."""


def selector_labels(*instances: str) -> dict[str, str]:
    """Returns the labels that select the pods of these versions. A Deployment's selector cannot change, so no label
    comes from config.

    For several versions, these are the labels that their pods share. Their namespace contains no other model's pods.
    """
    return {NAME: "sealift"} | ({INSTANCE: instances[0]} if len(instances) == 1 else {})


def object_labels(instance: str, model_name: object, labels: Mapping[str, str]) -> dict[str, object]:
    """Returns the labels of every object of the model, including the user's labels."""
    return {**labels, **selector_labels(instance), MODEL: model_name}
