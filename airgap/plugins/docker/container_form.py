"""A container's inputs and state in the official plugin's form, so that a stack can change between both plugins.

Defaults and read-back values are those of github.com/kreuzwerker/terraform-provider-docker, on which the official
plugin is based.
"""

from collections.abc import Mapping
from typing import Any, Final

from airgap.plugins.docker import health
from sealift.provider import Properties, Secret, Value

DEFAULTS: Final[Properties] = {
    "attach": False, "containerReadRefreshTimeoutMilliseconds": 15000, "logs": False, "mustRun": True,
    "networkMode": "bridge", "readOnly": False, "removeVolumes": True, "restart": "no", "rm": False, "start": True,
    "stdinOpen": False, "tty": False, "wait": False, "waitTimeout": 60,
}  # fmt: skip
INNER_DEFAULTS: Final[Mapping[str, Properties]] = {
    "healthcheck": {"interval": "0s", "retries": 0, "startInterval": "0s", "startPeriod": "0s", "timeout": "0s"},
    "ports": {"ip": "0.0.0.0", "protocol": "tcp"},  # noqa: S104 - Docker's own
    "uploads": {"executable": False},
}
IN_PLACE: Final = frozenset({
    "attach", "containerReadRefreshTimeoutMilliseconds", "cpuSet", "cpuShares", "destroyGraceSeconds", "healthcheck",
    "init", "logs", "maxRetryCount", "memory", "memorySwap", "mustRun", "removeVolumes", "restart", "rm", "start",
    "tmpfs", "wait", "waitTimeout",
})  # fmt: skip
"""Inputs whose change does not replace the container. Docker can change some of them; others only enter the state."""
COMPUTED: Final = (
    "bridge", "command", "containerLogs", "entrypoints", "envs", "exitCode", "hostname", "init",
    "ipcMode", "labels", "logDriver", "networkDatas", "runtime", "securityOpts", "shmSize", "stopSignal", "stopTimeout",
)  # fmt: skip
"""Properties that Docker fills in if they are not given."""
NOTE: Final = "__defaults"


def complete(inputs: Properties) -> Properties:
    """Adds all defaults, and to each object a note with their names."""
    inner: Properties = {}
    for name, value in inputs.items():
        inner[name] = value if name == NOTE else _inner(value, INNER_DEFAULTS.get(name, {}))
    return _with_defaults(inner, DEFAULTS)


def note_name(inputs: Properties) -> Properties:
    """Adds a note that the name was not given."""
    return {**inputs, NOTE: [*sorted({*_note(inputs), "name"})]}


def without_notes(value: Any) -> Any:
    """Removes the notes, which are not in the state."""
    if isinstance(value, Secret):
        return Secret(without_notes(value.value))
    if isinstance(value, dict):
        return {name: without_notes(item) for name, item in value.items() if name != NOTE}
    return [without_notes(item) for item in value] if isinstance(value, list) else value


def state(inputs: Properties, found: Mapping[str, Any]) -> Properties:
    """Returns the state of a container, from its inputs and Docker's data `found`."""
    return _select_computed(found) | _read_back(without_notes(inputs)) | _outputs(found)


def _read_back(inputs: Properties) -> Properties:
    """Returns the inputs with durations in Go's form: Docker stores nanoseconds, and the plugin writes Go's form."""
    check = inputs.get("healthcheck")
    if not isinstance(check, dict):
        return inputs
    times = {name: health.go_duration(str(check[name])) for name in health.DURATIONS if check.get(name)}
    return inputs | {"healthcheck": {**check, **times}}


def _select_computed(found: Mapping[str, Any]) -> Properties:
    config, host = found["Config"], found["HostConfig"]
    return {
        "command": config.get("Cmd") or [],
        "entrypoints": config.get("Entrypoint") or [],
        "envs": [],
        "hostname": config.get("Hostname", ""),
        "init": bool(host.get("Init")),
        "ipcMode": host.get("IpcMode", ""),
        "labels": [],
        "logDriver": host.get("LogConfig", {}).get("Type", ""),
        "runtime": host.get("Runtime", ""),
        "securityOpts": host.get("SecurityOpt") or [],
        "shmSize": host.get("ShmSize", 0) // 2**20,
        "stopSignal": config.get("StopSignal") or "",
        "stopTimeout": config.get("StopTimeout") or 0,
    }


def _outputs(found: Mapping[str, Any]) -> Properties:
    networks = [
        {
            "gateway": network["Gateway"],
            "globalIpv6Address": network.get("GlobalIPv6Address", ""),
            "globalIpv6PrefixLength": network.get("GlobalIPv6PrefixLen", 0),
            "ipAddress": network["IPAddress"],
            "ipPrefixLength": network.get("IPPrefixLen", 0),
            "ipv6Gateway": network.get("IPv6Gateway", ""),
            "macAddress": network.get("MacAddress", ""),
            "networkName": name,
        }
        for name, network in found["NetworkSettings"]["Networks"].items()
    ]
    return {
        "bridge": found["NetworkSettings"].get("Bridge", ""),
        "containerLogs": "",
        "exitCode": found["State"]["ExitCode"],
        "networkDatas": [*networks],
    }


def _inner(value: Value, defaults: Properties) -> Value:
    if isinstance(value, Secret):
        return Secret(_inner(value.value, defaults))
    if isinstance(value, list):
        return [_inner(item, defaults) for item in value]
    return _with_defaults(value, defaults) if isinstance(value, dict) else value


def _with_defaults(given: Properties, defaults: Properties) -> Properties:
    missing = {name: value for name, value in defaults.items() if given.get(name) is None}
    filled_in = sorted({*_note(given), *missing})
    return {**given, **missing, NOTE: [*filled_in]}


def _note(given: Properties) -> list[str]:
    notes = given.get(NOTE)
    return [str(name) for name in notes] if isinstance(notes, list) else []
