"""The container on a Docker engine, as plain properties that `ModelContainer` passes to its provider.

Pure: no Pulumi, no Docker client. Contents typed `object` are passed on unchanged, so they may be unknown values.

The server's files are uploaded into the container before it starts. Only the server's group can read them. They are in
the container's own layer on the engine's machine, below a folder that only root can enter, and are deleted with the
container. The provider uploads to the root file system, which an engine refuses if that is read-only. It is therefore
writable, but the server is not root and can write only to /tmp.
"""

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from ipaddress import IPv4Address
from typing import Final

from components.object_labels import object_labels
from components.server_files import ACCESS, Contents, ServerFolder
from components.server_version import ServerVersion
from components.settings.container import ContainerSettings
from components.settings.server import LET_IN
from sealift.serving import image_layout

Properties = dict[str, object]
"""Properties of docker.Container, by the SDK's names."""
PROPERTIES: Final = (
    "image", "command", "labels", "ports", "cpus", "memory", "memory_swap", "capabilities", "security_opts", "restart",
    "must_run", "destroy_grace_seconds", "healthcheck", "wait", "wait_timeout",
)  # fmt: skip
"""Properties that `container` returns. They are listed because the values are not known yet when they are needed."""

STACK_LABEL: Final = "sealift.dev/stack"
"""Label with PROJECT/STACK. The next preview uses it to tell a stack's own container from another stack's."""

STOP_SECONDS: Final = 30  # for requests in flight
START_SECONDS: Final = 120  # the same as for a pod
FILE_MODE: Final = "0440"
MEBIBYTE: Final = 1 << 20


def labels(instance: str, stack: str, settings: ContainerSettings) -> list[Properties]:
    """Returns the labels by which the containers of a model are found."""
    found = object_labels(instance, settings.model_name, settings.labels) | {STACK_LABEL: stack}
    if settings.auth != "none":
        found[LET_IN] = settings.let_in
    return [{"label": key, "value": value} for key, value in sorted(found.items())]


def uploads(version: ServerVersion, folders: Iterable[ServerFolder], access: Contents) -> list[Properties]:
    """Returns the uploads for the files of these folders."""
    group = str(image_layout.USER_ID)
    ordered = sorted(
        folders, key=lambda folder: folder is ACCESS
    )  # the order of every release: another one is a change
    return [
        {"file": f"{folder.path}/{name}", "content": content, "permissions": FILE_MODE, "owner": "0", "group": group}
        for folder in ordered
        for name, content in version.contents(folder, access).items()
    ]


def container(settings: ContainerSettings, version: ServerVersion, *, stack: str) -> Properties:
    """Returns all properties except the uploads. `stack` is PROJECT/STACK."""
    memory = math.ceil(settings.memory_limit.amount / MEBIBYTE)
    return {
        "image": version.image,
        "command": [*version.arguments(settings), *_local(settings)],
        "labels": labels(version.name, stack, settings),
        "ports": [*_ports(settings)],
        "cpus": _decimal(settings.cpu_limit.amount),
        "memory": memory,
        "memory_swap": memory,  # equal to memory, so no swap: the opened model must not be written to a disk
        "capabilities": {"drops": ["ALL"]},
        "security_opts": ["no-new-privileges:true"],
        "restart": "unless-stopped",
        "must_run": True,
        "destroy_grace_seconds": STOP_SECONDS,
        "healthcheck": {
            "tests": ["CMD", *image_layout.HEALTH_CHECK, *(["--tls"] if settings.tls_certificate else [])],
            "interval": _duration(3),
            "timeout": _duration(5),
            "start_period": _duration(START_SECONDS),
            "retries": 3,
        },
        "wait": True,
        "wait_timeout": START_SECONDS,
    }


def url(settings: ContainerSettings) -> str:
    """Returns the URL of the model, as seen from the engine's machine."""
    return f"{settings.scheme}://{_host(settings)}:{settings.port}"


def grpc_address(settings: ContainerSettings) -> str | None:
    """Returns the gRPC address, as seen from the engine's machine, or None without gRPC."""
    return f"{_host(settings)}:{settings.grpc_port}" if settings.grpc else None


def _host(settings: ContainerSettings) -> str:
    return "127.0.0.1" if settings.address == "0.0.0.0" else settings.address  # noqa: S104 - all addresses, this one too


def _local(settings: ContainerSettings) -> list[object]:
    """Returns `--local` if nothing else would stop a web page in this machine's browser from sending requests."""
    return ["--local"] if settings.auth == "none" and IPv4Address(settings.address).is_loopback else []


def _ports(settings: ContainerSettings) -> Iterator[Properties]:
    for inside, port in settings.published.items():
        yield {"internal": inside, "external": port, "ip": settings.address, "protocol": "tcp"}


def _duration(seconds: int) -> str:
    """Formats seconds as the provider reads them back. Another form would show as a change in every preview."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def _decimal(cpus: Fraction) -> str:
    """Formats CPUs with at least one digit after the point, as the provider reads them back."""
    text = f"{float(cpus):.9f}".rstrip("0")
    return f"{text}0" if text.endswith(".") else text
