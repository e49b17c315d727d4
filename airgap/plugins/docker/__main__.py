"""`pulumi-resource-docker ENGINE_ADDRESS`: started by the engine only."""

import sys

from airgap.plugins.docker.container import Container
from airgap.plugins.docker.image import Image
from airgap.plugins.docker.network import Network
from airgap.plugins.docker.remote_image import RemoteImage
from sealift.provider import CustomResource, EngineLog, ResourceServicer, main

RESOURCES: dict[str, CustomResource] = {
    "docker:index/container:Container": Container(),
    "docker:index/image:Image": Image(),
    "docker:index/network:Network": Network(),
    "docker:index/remoteImage:RemoteImage": RemoteImage(),
}


def servicer(log: EngineLog) -> ResourceServicer:
    """Makes the servicer, with the version of the official plugin that it replaces."""
    return ResourceServicer(RESOURCES, "5.2.0", log)


if __name__ == "__main__":
    sys.exit(main("pulumi-resource-docker", servicer))
