"""Components of a Sealift program, in the data's order: store → training run → image → deployment, or a container.

Names load on first use: the plugin's process imports this package too and must not load the Docker and Kubernetes SDKs.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from components.api_key import ApiKey
    from components.artifact_signature import ArtifactSignature
    from components.artifact_store import EncryptedArtifactStore
    from components.config import StackConfig, config_or_exit, read_config
    from components.model_container import ModelContainer
    from components.model_deployment import ModelDeployment
    from components.model_image import ModelImage
    from components.sealing_key import SealingKey
    from components.training_run import TrainingRun

__all__ = [
    "ApiKey",
    "ArtifactSignature",
    "EncryptedArtifactStore",
    "ModelContainer",
    "ModelDeployment",
    "ModelImage",
    "SealingKey",
    "StackConfig",
    "TrainingRun",
    "config_or_exit",
    "read_config",
]

_MODULES = {
    "ApiKey": "api_key",
    "ArtifactSignature": "artifact_signature",
    "EncryptedArtifactStore": "artifact_store",
    "ModelContainer": "model_container",
    "ModelDeployment": "model_deployment",
    "ModelImage": "model_image",
    "SealingKey": "sealing_key",
    "StackConfig": "config",
    "TrainingRun": "training_run",
    "config_or_exit": "config",
    "read_config": "config",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
