"""The sections of a stack's config, each with the settings that can stand in it."""

from collections.abc import Mapping
from typing import Any, Final

from components.container_settings import ContainerSettings
from components.deployment_settings import DeploymentSettings
from components.image_settings import ImageSettings
from components.run_settings import TrainingSettings
from components.store_settings import StoreSettings

SECTIONS: Final[Mapping[str, type[Any]]] = {
    "store": StoreSettings,
    "training": TrainingSettings,
    "image": ImageSettings,
    "deployment": DeploymentSettings,
    "container": ContainerSettings,
}
