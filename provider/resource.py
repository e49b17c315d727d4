"""What a custom resource answers to: the contract between the dispatcher and one file per resource."""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from provider.engine_log import ResourceLog
from provider.values import Properties, Value


@dataclass(frozen=True)
class Failure:
    """One property that `check` refuses, and why; `reason` says the value and what is allowed."""

    property: str
    reason: str


@dataclass(frozen=True)
class Checked:
    """Inputs as the resource will be compared by: defaults filled in, digests added, secrets still wrapped."""

    inputs: Properties
    failures: list[Failure] = field(default_factory=list)


Change = Literal["add", "delete", "update"]


@dataclass(frozen=True)
class Difference:
    """What changed, by property path, and which of it only a new resource can take on.

    `of_inputs` is how the engine shows it: as differences of inputs, or of the resource as it is. `with_reasons` is
    whether a preview in JSON lists what changed as its reasons too.
    """

    changed: Mapping[str, Change]
    replaces: list[str] = field(default_factory=list)
    of_inputs: bool = True
    with_reasons: bool = True
    delete_before_replace: bool = False


@dataclass(frozen=True)
class Check:
    """One call of the engine to check a resource's inputs. The seed gives the same random name in a preview and its
    update.
    """

    name: str
    random_seed: bytes = b""


@dataclass(frozen=True)
class Operation:
    """One call of the engine on one resource. `timeout_seconds` 0 means none; `cancelled` is set by Ctrl-C.

    `urn` has project, stack and name; `id` is "" until the resource is created.
    """

    urn: str
    id: str
    log: ResourceLog
    preview: bool
    timeout_seconds: float
    cancelled: asyncio.Event


@dataclass(frozen=True)
class State:
    """A resource as it is found: its inputs and its outputs."""

    inputs: Properties
    outputs: Properties


@dataclass(frozen=True)
class Created:
    """A new resource: the id that the engine keeps for good ("" in a preview), and its outputs."""

    id: str
    outputs: Properties


class CustomResource(Protocol):
    """The life of one custom resource. Inputs come checked; outputs carry Secret and UNKNOWN where they apply.

    Every method may raise PluginError; none may block the event loop, since the engine's other calls share it.
    """

    async def check(self, check: Check, olds: Properties, news: Properties) -> Checked: ...

    def diff(self, olds: Properties, news: Properties) -> Difference: ...

    async def create(self, operation: Operation, inputs: Properties) -> Created: ...

    async def update(
        self, operation: Operation, old_inputs: Properties, old_outputs: Properties, inputs: Properties
    ) -> Properties: ...

    async def read(self, operation: Operation, resource_id: str, state: State) -> State | None: ...

    async def delete(self, operation: Operation, inputs: Properties, outputs: Properties) -> None: ...


def random_id(operation: Operation) -> str:
    """An id of the resource's own: its name and 8 random hex digits, none in a preview."""
    return "" if operation.preview else f"{name_of(operation.urn)}-{secrets.token_hex(4)}"


def name_of(urn: str) -> str:
    """The resource's own name, which the URN ends in."""
    return urn.split("::")[-1]


def changed_inputs(olds: Mapping[str, Value], news: Mapping[str, Value]) -> dict[str, Change]:
    """The top-level inputs that differ, by name; both sides without secret wrappers. An unknown input counts."""
    changed: dict[str, Change] = {}
    for name in sorted(olds.keys() | news.keys()):
        if name not in olds:
            changed[name] = "add"
        elif name not in news:
            changed[name] = "delete"
        elif olds[name] != news[name]:
            changed[name] = "update"
    return changed
