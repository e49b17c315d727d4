"""`pulumi-resource-docker ENGINE_ADDRESS`: started by the engine, never by hand."""

import sys

from airgap.plugins.docker.container import Container
from airgap.plugins.docker.image import Image
from airgap.plugins.docker.network import Network
from airgap.plugins.docker.remote_image import RemoteImage
from components.plugin.provider import main
from components.plugin.resource import CustomResource

RESOURCES: dict[str, CustomResource] = {
    "docker:index/container:Container": Container(),
    "docker:index/image:Image": Image(),
    "docker:index/network:Network": Network(),
    "docker:index/remoteImage:RemoteImage": RemoteImage(),
}

if __name__ == "__main__":
    sys.exit(main("pulumi-resource-docker", RESOURCES, "5.2.0"))
