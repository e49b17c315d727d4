"""What a ModelContainer can be told, checked all at once: plain values in, settings or problems out. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

from components.settings.server import ServedModel, ServerSettings, match_text, whole
from sealift.serving import image_layout
from sealift.settings import Clash, setting

MAX_PORT: Final = 65535


def _is_address(text: str) -> bool:
    try:
        return bool(IPv4Address(text))
    except ValueError:
        return False


ADDRESS: Final = match_text("an IPv4 address of the Docker engine's machine, or 0.0.0.0 for all of them", _is_address)
HOST_PORT: Final = whole(f"a whole number from 1 to {MAX_PORT}", lambda number: 1 <= number <= MAX_PORT)
METRICS_PORT: Final = whole(f"a whole number from 0 to {MAX_PORT}", lambda number: 0 <= number <= MAX_PORT)


@dataclass(frozen=True)
class ContainerSettings(ServerSettings):
    """How a model is served in one container of a Docker engine, for those who have no Kubernetes.

    Only one container at a time can have a port of the machine: a new model, and any other change but of memoryLimit,
    ends the old container before the new one starts, and for some seconds nothing answers.
    """

    address: str = setting(ADDRESS, "127.0.0.1", "Where its ports are opened: by default for this machine alone.")
    port: int = setting(HOST_PORT, image_layout.PORT, "Where it answers on that address.")
    grpc_port: int = setting(HOST_PORT, image_layout.GRPC_PORT, "Where gRPC is, if it is served.")
    metrics_port: int = setting(METRICS_PORT, 0, "Where Prometheus finds its metrics; 0: nowhere outside.")

    @property
    def published(self) -> dict[int, int]:
        """Ports of the machine, by those of the container."""
        ports = {image_layout.PORT: self.port}
        if self.grpc:
            ports[image_layout.GRPC_PORT] = self.grpc_port
        if self.metrics_port:
            ports[image_layout.METRICS_PORT] = self.metrics_port
        return ports

    @property
    def ports(self) -> dict[str, int]:
        """The same ports of the machine, by their settings."""
        names = {
            image_layout.PORT: "port",
            image_layout.GRPC_PORT: "grpcPort",
            image_layout.METRICS_PORT: "metricsPort",
        }
        return {names[inside]: port for inside, port in self.published.items()}

    def clashes(self) -> Iterator[Clash]:
        """Two things on one port; and a server's own."""
        taken: dict[int, str] = {}
        for name, port in self.ports.items():
            if port in taken:
                yield Clash(name, f"is {port}, as {taken[port]} is; allowed: a port of its own", (taken[port],))
            taken.setdefault(port, name)
        yield from super().clashes()


@dataclass(frozen=True)
class ModelContainerInputs(ServedModel, ContainerSettings):
    """All of a ModelContainer's inputs: its settings, and what is served."""
