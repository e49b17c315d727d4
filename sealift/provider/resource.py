"""The contract of a custom resource. A plugin has one class with these methods per resource type."""

import secrets
from typing import Protocol

from sealift.provider.messages import (
    CheckRequest,
    CheckResponse,
    CreateRequest,
    CreateResponse,
    DeleteRequest,
    DiffRequest,
    DiffResponse,
    ReadRequest,
    ReadResponse,
    UpdateRequest,
    UpdateResponse,
)


class CustomResource(Protocol):
    """The life of one custom resource, from the program's inputs to its deletion.

    Every method may raise PluginError. `create`, `update` and `read` may also raise ResourceInitFailed, which keeps the
    state. No method may block the event loop, because the engine's other calls share it.
    """

    async def check(self, request: CheckRequest) -> CheckResponse:
        """Validates all inputs at once and completes them. Unknown inputs are checked later, in the update."""

    def diff(self, request: DiffRequest) -> DiffResponse:
        """Returns the changes, and whether each needs a new resource."""

    async def create(self, request: CreateRequest) -> CreateResponse:
        """Creates the resource. In a preview, returns the outputs that are known, and UNKNOWN for the rest."""

    async def update(self, request: UpdateRequest) -> UpdateResponse:
        """Changes the resource in place. Previews like `create`."""

    async def read(self, request: ReadRequest) -> ReadResponse | None:
        """Returns the resource's actual inputs and state, or None if it does not exist any more."""

    async def delete(self, request: DeleteRequest) -> None:
        """Deletes the resource. Succeeds if it does not exist any more."""


def name_of(urn: str) -> str:
    """Returns the resource's own name, the last part of the URN."""
    return urn.split("::")[-1]


def type_of(urn: str) -> str:
    """Returns the resource's own type token, without the types of its parents."""
    return urn.split("::")[2].split("$")[-1]


def random_id(request: CreateRequest) -> str:
    """Returns an id for a new resource: its name and 8 random hex digits, or "" in a preview."""
    return "" if request.preview else f"{name_of(request.urn)}-{secrets.token_hex(4)}"
