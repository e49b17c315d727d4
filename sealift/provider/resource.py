"""The contract: what a custom resource answers to. A plugin has one class of this kind per resource type."""

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
    """The life of one custom resource, from the program's inputs to the end.

    Every method may raise PluginError, and `create`, `update` and `read` ResourceInitFailed, which keeps the state;
    none may block the event loop, since the engine's other calls share it.
    """

    async def check(self, request: CheckRequest) -> CheckResponse:
        """Validates everything at once and completes the inputs. Unknown ones are left for the real run."""

    def diff(self, request: DiffRequest) -> DiffResponse:
        """What changed, and whether the resource can take it on."""

    async def create(self, request: CreateRequest) -> CreateResponse:
        """Makes it; in a preview says what can be known, with UNKNOWN for the rest."""

    async def update(self, request: UpdateRequest) -> UpdateResponse:
        """Changes it in place; previews as `create` does."""

    async def read(self, request: ReadRequest) -> ReadResponse | None:
        """The resource as it is; None if it is gone."""

    async def delete(self, request: DeleteRequest) -> None:
        """Ends it; one that is gone already is fine."""


def name_of(urn: str) -> str:
    """The resource's own name, which the URN ends in."""
    return urn.split("::")[-1]


def type_of(urn: str) -> str:
    """The resource's own type token, without the types of its parents."""
    return urn.split("::")[2].split("$")[-1]


def random_id(request: CreateRequest) -> str:
    """An id of the resource's own: its name and 8 random hex digits, none in a preview."""
    return "" if request.preview else f"{name_of(request.urn)}-{secrets.token_hex(4)}"
