"""The engine's requests to a resource, and the responses, in Pulumi's terms.

Inputs come from the program, completed by `check`. The state is the part of a resource that the engine stores: its
outputs.
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
    """Inputs to check. The seed gives the same random name in a preview and its update.

    `old_inputs` is empty before the first update.
    """

    urn: str
    old_inputs: Properties
    new_inputs: Properties
    random_seed: bytes = b""


@dataclass(frozen=True)
class CheckFailure:
    """A property that `check` refuses. `reason` gives the value and what is allowed.

    The engine gets both as one sentence. If it got the property, it would quote the value, which it looks up by the
    whole path: `<nil>` for `data.target`, Go's `map[…]` for an object, and a URL with its password.
    """

    property: str
    reason: str

    def __str__(self) -> str:
        return f"{self.property} {self.reason}"


@dataclass(frozen=True)
class CheckResponse:
    """Checked inputs, which later diffs compare: with defaults and digests, and with secrets still wrapped."""

    inputs: Properties
    failures: list[CheckFailure] = field(default_factory=list)


@dataclass(frozen=True)
class DiffRequest:
    """Inputs to compare, without secret wrappers. Properties in `ignoreChanges` have their old values in `new_inputs`.

    `state` is the state after the last update or refresh.
    """

    old_inputs: Properties
    new_inputs: Properties
    id: str = ""
    state: Properties = field(default_factory=dict)


DiffKind = Literal["add", "delete", "update"]


@dataclass(frozen=True)
class PropertyDiff:
    """Change of one property, and whether it needs a new resource.

    `input_diff` selects how the engine shows it: as a difference of inputs, or from the state to the new input.
    """

    kind: DiffKind
    replaces: bool = False
    input_diff: bool = True


@dataclass(frozen=True)
class DiffResponse:
    """Changes by property path, empty if the resource stays unchanged.

    `with_reasons` says whether a preview in JSON also lists the changed properties as reasons.
    """

    detailed_diff: Mapping[str, PropertyDiff]
    delete_before_replace: bool = False
    with_reasons: bool = True

    @property
    def replaces(self) -> list[str]:
        return [path for path, change in self.detailed_diff.items() if change.replaces]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """Fields of all requests that change or read a resource.

    `timeout_seconds` 0 means no limit. `cancelled` is set by Ctrl-C. `urn` contains project, stack and name. `id` is ""
    until the resource is created.
    """

    urn: str
    id: str = ""
    log: ResourceLog
    preview: bool = False
    timeout_seconds: float = 0.0
    cancelled: asyncio.Event


@dataclass(frozen=True, kw_only=True)
class CreateRequest(Operation):
    """Creation of a resource from checked inputs. In a preview nothing may be created."""

    inputs: Properties


@dataclass(frozen=True)
class CreateResponse:
    """A new resource: its permanent id ("" in a preview) and its state."""

    id: str
    state: Properties


@dataclass(frozen=True, kw_only=True)
class UpdateRequest(Operation):
    """Update of a resource with this state to the new inputs, which are checked."""

    old_inputs: Properties
    state: Properties
    new_inputs: Properties


@dataclass(frozen=True)
class UpdateResponse:
    """The whole new state."""

    state: Properties


@dataclass(frozen=True, kw_only=True)
class ReadRequest(Operation):
    """Refresh or import of a resource. In an import, only the `id` is known."""

    inputs: Properties
    state: Properties


@dataclass(frozen=True)
class ReadResponse:
    """The resource's actual inputs and state."""

    inputs: Properties
    state: Properties


@dataclass(frozen=True, kw_only=True)
class DeleteRequest(Operation):
    """Deletion of a resource."""

    inputs: Properties
    state: Properties
