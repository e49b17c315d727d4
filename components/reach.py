"""Checks what an update needs, in previews too: that a registry answers, a kubeconfig exists, a port is free.

Each check takes two seconds at most. A check that is not possible from this machine gives no result, never a failure.
"""

import errno
import json
import os
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

SECONDS: Final = 2.0
LOCAL: Final = ("localhost", "127.0.0.1", "[::1]")
HTTPS_PORT: Final = 443
RESOURCE_METRICS: Final = "metrics.k8s.io"
OWN_METRICS: Final = "custom.metrics.k8s.io"
"""API groups with the metrics that a HorizontalPodAutoscaler reads."""
PROXIES: Final = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")


def silent_registry(registry: str, environment: Mapping[str, str]) -> str | None:
    """Returns a warning if nothing answers at the registry HOST[:PORT][/PATH]. Returns None if it answers, or if images
    are pushed from another machine or through a proxy.
    """
    host, port = _host_and_port(registry)
    if not _is_local(environment):
        return None
    if host not in LOCAL and any(environment.get(name) for name in PROXIES):
        return None
    try:
        socket.create_connection((host.strip("[]"), port), SECONDS).close()
    except OSError as error:
        return (
            f"registry is {registry!r}, but nothing answers at {host}:{port} ({error.strerror or error}), so images "
            "cannot be pushed or pulled; start the registry, or set another one"
        )
    return None


def _host_and_port(registry: str) -> tuple[str, int]:
    place = registry.partition("/")[0]
    host, colon, port = place.rpartition(":")
    return (host, int(port)) if colon and not place.endswith("]") else (place, HTTPS_PORT)


def find_missing_kubeconfig(environment: Mapping[str, str]) -> str | None:
    """Returns an error message if KUBECONFIG names only files that do not exist."""
    given = environment.get("KUBECONFIG", "")
    if not given or any(Path(one).exists() for one in given.split(os.pathsep) if one):
        return None
    return (
        f"KUBECONFIG is {given!r}, but this file does not exist, so no cluster can be reached\n"
        "hint: set KUBECONFIG to the cluster's kubeconfig file, or unset it to use ~/.kube/config; "
        "`source .tools/activate` sets it for the local node"
    )


def owner_of_node_port(port: int, options: Sequence[str] = ()) -> str | None:
    """Returns the Service that uses the node port, as NAMESPACE/NAME. Returns None if no Service uses it, or if kubectl
    fails.

    `options` are options of kubectl, such as --context.
    """
    listing = ["get", "services", "--all-namespaces", "--output=json", f"--request-timeout={SECONDS:g}s"]
    said = _ask(["kubectl", *options, *listing], 2 * SECONDS)
    try:
        return None if said is None else _owner(json.loads(said), port)
    except (ValueError, KeyError, TypeError):
        return None


def _owner(services: Mapping[str, list[dict[str, dict[str, object]]]], port: int) -> str | None:
    for service in services["items"]:
        ports = service["spec"].get("ports") or []
        if isinstance(ports, list) and any(one.get("nodePort") == port for one in ports):
            return f"{service['metadata']['namespace']}/{service['metadata']['name']}"
    return None


def find_unserved(groups: Sequence[str], options: Sequence[str] = ()) -> list[str]:
    """Returns the API groups, out of `groups`, that no available APIService serves. Returns none if kubectl fails.

    `options` are options of kubectl, such as --context.
    """
    listing = ["get", "apiservices", "--output=json", f"--request-timeout={SECONDS:g}s"]
    said = _ask(["kubectl", *options, *listing], 2 * SECONDS)
    try:
        services = [] if said is None else json.loads(said)["items"]
        served = {one["spec"].get("group") for one in services if _is_available(one)}
    except (ValueError, KeyError, TypeError, AttributeError):
        return []
    return [group for group in groups if group not in served] if services else []


def _is_available(service: Mapping[str, Any]) -> bool:
    conditions = service.get("status", {}).get("conditions") or []
    return any(one["type"] == "Available" and one["status"] == "True" for one in conditions)


def container_at(port: int) -> str | None:
    """Returns the name of the container that publishes the port: "" if none does, None if the Docker engine fails."""
    said = _ask(["docker", "ps", "--filter", f"publish={port}", "--format", "{{.Names}}"], SECONDS)
    return None if said is None else said.partition("\n")[0].strip()


def label_of(container: str, label: str) -> str:
    """Returns a label of a container: "" if the container lacks it or cannot be inspected."""
    form = f'{{{{index .Config.Labels "{label}"}}}}'
    return (_ask(["docker", "inspect", "--format", form, container], SECONDS) or "").strip()


def user_of_port(address: str, port: int, container: str | None, environment: Mapping[str, str]) -> str | None:
    """Returns the user of a port of the Docker engine's machine, for a message. Returns None if the port is free or
    cannot be checked.

    `container` is the result of `container_at`.
    """
    if container:
        return f"the container {container}"
    if container is None or not _is_local(environment):
        return None
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            return "another program on this machine" if error.errno == errno.EADDRINUSE else None
    return None


def _ask(command: Sequence[str], seconds: float) -> str | None:
    """Returns the program's output, or None if it is not installed, fails or takes too long."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None


def _is_local(environment: Mapping[str, str]) -> bool:
    """Whether the Docker engine runs on this machine."""
    return environment.get("DOCKER_HOST", "unix:").partition(":")[0] == "unix"
