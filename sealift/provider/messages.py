"""The engine's requests to a resource, and the responses, in Pulumi's terms.

Inputs come from the program, completed by `check`. The state is what the engine stores of the resource: its outputs.
Both are plain Python (values.py), with Secret and UNKNOWN where they apply.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sealift.provider.engine_log import ResourceLog
from sealift.provider.values import Properties


@dataclass(frozen=True)
class CheckRequest:
    """The seed gives the same random name in a preview and its update. No `old_inputs` before the first update."""

    urn: str
    old_inputs: Properties
    new_inputs: Properties
    random_seed: bytes = b""


@dataclass(frozen=True)
class CheckFailure:
    """A property that `check` refuses. `reason` gives the value and what is allowed."""

    property: str
    reason: str


@dataclass(frozen=True)
class CheckResponse:
    """Inputs as the resource will be compared by: defaults filled in, digests added, secrets still wrapped."""

    inputs: Properties
    failures: list[CheckFailure] = field(default_factory=list)


@dataclass(frozen=True)
class DiffRequest:
    """All without secret wrappers; what `ignoreChanges` names is in `new_inputs` as it is in `old_inputs`.

    `state` is as the last update or refresh left it.
    """

    old_inputs: Properties
    new_inputs: Properties
    id: str = ""
    state: Properties = field(default_factory=dict)


DiffKind = Literal["add", "delete", "update"]


@dataclass(frozen=True)
class PropertyDiff:
    """One property's change, and whether only a new resource can take it on.

    `input_diff` is how the engine shows it: as a difference of inputs, or from the state as it is.
    """

    kind: DiffKind
    replaces: bool = False
    input_diff: bool = True


@dataclass(frozen=True)
class DiffResponse:
    """What changed, by property path; nothing, if the resource stays as it is.

    `with_reasons` is whether a preview in JSON lists what changed as its reasons too.
    """

    detailed_diff: Mapping[str, PropertyDiff]
    delete_before_replace: bool = False
    with_reasons: bool = True

    @property
    def replaces(self) -> list[str]:
        return [path for path, change in self.detailed_diff.items() if change.replaces]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """What all requests that do something have. `timeout_seconds` 0 means none; `cancelled` is set by Ctrl-C.

    `urn` has project, stack and name; `id` is "" until the resource is created.
    """

    urn: str
    id: str = ""
    log: ResourceLog
    preview: bool = False
    timeout_seconds: float = 0.0
    cancelled: asyncio.Event


@dataclass(frozen=True, kw_only=True)
class CreateRequest(Operation):
    """Inputs come checked. In a preview nothing may be made."""

    inputs: Properties


@dataclass(frozen=True)
class CreateResponse:
    """A new resource: the id that the engine keeps for good ("" in a preview), and its state."""

    id: str
    state: Properties


@dataclass(frozen=True, kw_only=True)
class UpdateRequest(Operation):
    """As the state is now, and the checked inputs that it is to follow."""

    old_inputs: Properties
    state: Properties
    new_inputs: Properties


@dataclass(frozen=True)
class UpdateResponse:
    """The new state, whole."""

    state: Properties


@dataclass(frozen=True, kw_only=True)
class ReadRequest(Operation):
    """A refresh: what the engine knows. An import: the `id` alone."""

    inputs: Properties
    state: Properties


@dataclass(frozen=True)
class ReadResponse:
    """The resource as it was found."""

    inputs: Properties
    state: Properties


@dataclass(frozen=True, kw_only=True)
class DeleteRequest(Operation):
    """What is to go."""

    inputs: Properties
    state: Properties
