"""`pulumi-resource-sealift ENGINE_ADDRESS`: started by the engine, never by hand."""

import sys

from components.plugin.provider import main
from components.plugin.resource import CustomResource
from components.plugin.sealing_key import SealingKey
from components.plugin.training_run import TrainingRun

RESOURCES: dict[str, CustomResource] = {
    "sealift:index:SealingKey": SealingKey(),
    "sealift:index:TrainingRun": TrainingRun(),
}

if __name__ == "__main__":
    sys.exit(main("pulumi-resource-sealift", RESOURCES, "0.1.0"))
