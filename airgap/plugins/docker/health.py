"""A container's health check: its settings, and the wait until the engine reports that it is healthy."""

import re
import time
from collections.abc import Iterator
from typing import Any, Final

import docker
from sealift.provider import CheckFailure, PluginError, Properties, reveal

WAIT_SECONDS: Final = 60
LOOK_SECONDS: Final = 0.2
TIMES: Final = {"interval": "interval", "timeout": "timeout", "start_period": "startPeriod"}
"""Times of a health check: names in the engine's client, and names in the resource."""
DURATIONS: Final = (*TIMES.values(), "startInterval")
DURATION: Final = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h))+")
PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
UNITS: Final = {"ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
"""Nanoseconds per unit."""


def duration_failures(inputs: Properties) -> Iterator[CheckFailure]:
    """Yields a failure for each invalid duration."""
    given = reveal(inputs.get("healthcheck"))
    if not isinstance(given, dict):
        return
    for name in DURATIONS:
        text = given.get(name)
        if isinstance(text, str) and not DURATION.fullmatch(text):
            yield CheckFailure(f"healthcheck.{name}", f"is {text!r}; allowed: numbers with units, such as 1m30s")


def check(given: dict[str, Any] | None) -> Any:
    """Returns the health check for the engine's client, or None if none is given."""
    if not given:
        return None
    times = {name: _nanoseconds(given.get(camel)) for name, camel in TIMES.items()}
    return docker.types.Healthcheck(test=given["tests"], retries=given.get("retries"), **times)


def go_duration(text: str) -> str:
    """Returns the same duration in Go's form: `2m0s` for `120s`."""
    nanoseconds = _nanoseconds(text) or 0
    if nanoseconds and nanoseconds < UNITS["s"]:
        return f"{_decimal(nanoseconds, UNITS['ms'])}ms"
    minutes, rest = divmod(nanoseconds, UNITS["m"])
    hours, minutes = divmod(minutes, 60)
    before = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{before}{_decimal(rest, UNITS['s'])}s"


def _decimal(nanoseconds: int, unit: int) -> str:
    whole, rest = divmod(nanoseconds, unit)
    digits = str(rest).zfill(len(str(unit)) - 1).rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)


def _nanoseconds(text: str | None) -> int | None:
    """Parses a duration such as 3s or 1m30s."""
    if text is None:
        return None
    return sum(int(float(number) * UNITS[unit]) for number, unit in PART.findall(text))


def wait(engine: docker.APIClient, container: str, plain: dict[str, Any]) -> None:
    """Waits until the container is healthy, or runs if it has no check. Raises PluginError with its last lines."""
    limit = plain.get("waitTimeout") or WAIT_SECONDS
    deadline = time.monotonic() + limit
    while True:
        state = engine.inspect_container(container)["State"]
        health = state.get("Health", {}).get("Status", "healthy" if state["Running"] else "not running")
        if health == "healthy":
            return
        if health in ("unhealthy", "not running") or time.monotonic() > deadline:
            logs = engine.logs(container, tail=5).decode(errors="replace").strip()
            raise PluginError(
                f"container {plain['name']} is {health} after waiting up to {limit} s; its last lines: {logs}"
            )
        time.sleep(LOOK_SECONDS)
