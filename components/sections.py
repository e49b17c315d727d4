"""The sections of a stack's config, each with the class that declares its settings."""

from collections.abc import Mapping
from typing import Any, Final

from components.settings.container import ContainerSettings
from components.settings.deployment import DeploymentSettings
from components.settings.image import ImageSettings
from components.settings.run import TrainingSettings
from components.settings.store import StoreSettings

SECTIONS: Final[Mapping[str, type[Any]]] = {
    "store": StoreSettings,
    "training": TrainingSettings,
    "image": ImageSettings,
    "deployment": DeploymentSettings,
    "container": ContainerSettings,
}
