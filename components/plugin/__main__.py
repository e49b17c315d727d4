"""`pulumi-resource-sealift ENGINE_ADDRESS`: started by the engine, never by hand."""

import sys

from components.plugin.sealing_key import SealingKeyResource
from components.plugin.training_run import TrainingRunResource
from provider import CustomResource, EngineLog, ResourceServicer, main
from sealing import SealingError
from stores import StoreError

RESOURCES: dict[str, CustomResource] = {
    "sealift:index:SealingKey": SealingKeyResource(),
    "sealift:index:TrainingRun": TrainingRunResource(),
}


def servicer(log: EngineLog) -> ResourceServicer:
    """Sealing's messages are for the user, as the plugin's own are."""
    return ResourceServicer(RESOURCES, "0.1.0", log, user_errors=(SealingError, StoreError))


if __name__ == "__main__":
    sys.exit(main("pulumi-resource-sealift", servicer))
