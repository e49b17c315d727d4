"""`pulumi-resource-docker ENGINE_ADDRESS`: started by the engine, never by hand."""

import sys

from airgap.plugins.docker.image import Image
from components.plugin.provider import main

if __name__ == "__main__":
    sys.exit(main("pulumi-resource-docker", {"docker:index/image:Image": Image()}, "5.2.0"))
