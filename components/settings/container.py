"""Settings of a ModelContainer, checked all at once. Pure: plain values in, settings or problems out."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

from components.settings.server import ServerInputs, ServerSettings, match_text, whole
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
    """Container of a Docker engine that serves a model, for machines without Kubernetes.

    Only one container at a time can use a port of the machine. Any change except of `memoryLimit` therefore stops the
    old container before the new one starts. For some seconds, requests fail.
    """

    address: str = setting(
        ADDRESS, "127.0.0.1", "Address on which the ports are opened. By default, only this machine can connect."
    )
    port: int = setting(HOST_PORT, image_layout.PORT, "Port of the machine for HTTP requests.")
    grpc_port: int = setting(
        HOST_PORT, image_layout.GRPC_PORT, "Port of the machine for gRPC requests, if `grpc` is true."
    )
    metrics_port: int = setting(
        METRICS_PORT, 0, "Port of the machine for Prometheus metrics. 0 keeps them inside the container."
    )

    @property
    def published(self) -> dict[int, int]:
        """Ports of the machine, by port of the container."""
        ports = {image_layout.PORT: self.port}
        if self.grpc:
            ports[image_layout.GRPC_PORT] = self.grpc_port
        if self.metrics_port:
            ports[image_layout.METRICS_PORT] = self.metrics_port
        return ports

    @property
    def ports(self) -> dict[str, int]:
        """The same ports of the machine, by the setting's name."""
        names = {
            image_layout.PORT: "port",
            image_layout.GRPC_PORT: "grpcPort",
            image_layout.METRICS_PORT: "metricsPort",
        }
        return {names[inside]: port for inside, port in self.published.items()}

    def clashes(self) -> Iterator[Clash]:
        """Yields a clash for each port that is used twice, and the server's own clashes."""
        taken: dict[int, str] = {}
        for name, port in self.ports.items():
            if port in taken:
                yield Clash(name, f"is {port}, which {taken[port]} uses too; allowed: a different port", (taken[port],))
            taken.setdefault(port, name)
        yield from super().clashes()


@dataclass(frozen=True)
class ModelContainerInputs(ServerInputs, ContainerSettings):
    """Inputs of a ModelContainer: its settings and the model to serve."""
