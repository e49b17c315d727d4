"""`pulumi-resource-sealift ENGINE_ADDRESS`: started by the engine, never by hand."""

import asyncio
import sys

from components.plugin.provider import serve
from components.plugin.sealing_key import SealingKey
from components.plugin.training_run import TrainingRun

VERSION = "0.1.0"
RESOURCES = {"sealift:index:SealingKey": SealingKey(), "sealift:index:TrainingRun": TrainingRun()}

USAGE = (
    "usage: pulumi-resource-sealift ENGINE_ADDRESS\nThe Pulumi engine starts this program; run `pulumi up` instead.\n"
)


def main() -> int:
    """Serves the engine at the address given as the last argument that is not a flag."""
    addresses = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    if not addresses:
        sys.stderr.write(USAGE)
        return 2
    asyncio.run(serve(addresses[-1], RESOURCES, VERSION))
    return 0


if __name__ == "__main__":
    sys.exit(main())
