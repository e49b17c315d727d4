"""`pulumi-resource-docker ENGINE_ADDRESS`: started by the engine, never by hand."""

import asyncio
import sys

from airgap.plugins.docker.image import Image
from components.plugin.provider import serve

VERSION = "5.2.0"
RESOURCES = {"docker:index/image:Image": Image()}


def main() -> int:
    """Serves the engine at the address given as the last argument that is not a flag."""
    addresses = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    if not addresses:
        sys.stderr.write(
            "usage: pulumi-resource-docker ENGINE_ADDRESS\nThe Pulumi engine starts this program; run `pulumi up` instead.\n"
        )
        return 2
    asyncio.run(serve(addresses[-1], RESOURCES, VERSION))
    return 0


if __name__ == "__main__":
    sys.exit(main())
