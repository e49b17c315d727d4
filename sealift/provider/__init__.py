"""The Pulumi engine's protocol, for any plugin: the contract of a custom resource, and the process that serves it.

    resource.py        the contract: CustomResource, one class per resource type
    messages.py        the engine's requests and the responses: CheckRequest, CheckResponse and so on
    values.py          inputs and state as plain Python, with unknowns and secrets
    diff.py            which inputs changed, for a `diff` that needs no more
    errors.py          failures that a user can fix, and their messages
    engine_log.py      lines and live status in the engine's own display
    ignored_changes.py old values of the properties in `ignoreChanges`
    servicer.py        the gRPC service: dispatches by resource type to custom resources
    construct.py       components for programs in other languages
    answer.py          errors as gRPC responses, for a plugin with its own servicer
    parent.py          the engine as the parent of this process, and its end
    serve.py           the plugin's process, from the first line on stdout to the engine's end

A new plugin writes one class per resource with the methods of CustomResource, and a `__main__` of one call:
`main("pulumi-resource-NAME", lambda log: ResourceServicer({"NAME:index:Thing": Thing()}, "1.0.0", log))`.
The engine needs only an executable of that name on PATH, or under `plugins.providers` in Pulumi.yaml.

Of Sealift, the package imports only property_path.py. Invokes are not supported.
"""

from sealift.provider.answer import answer, fail
from sealift.provider.construct import Constructor, Made, MakeComponent
from sealift.provider.diff import changed_inputs, detail_diff
from sealift.provider.engine_log import EngineLog, ResourceLog, Severity
from sealift.provider.errors import Cancelled, PluginError, ResourceInitFailed
from sealift.provider.messages import (
    CheckFailure,
    CheckRequest,
    CheckResponse,
    CreateRequest,
    CreateResponse,
    DeleteRequest,
    DiffKind,
    DiffRequest,
    DiffResponse,
    Operation,
    PropertyDiff,
    ReadRequest,
    ReadResponse,
    UpdateRequest,
    UpdateResponse,
)
from sealift.provider.parent import Parent
from sealift.provider.resource import CustomResource, name_of, random_id, type_of
from sealift.provider.serve import main, serve
from sealift.provider.servicer import ResourceServicer, diff_message
from sealift.provider.values import (
    UNKNOWN,
    Properties,
    Secret,
    Unknown,
    Value,
    from_struct,
    has_secret,
    has_unknown,
    reveal,
    reveal_all,
    to_struct,
)

__all__ = [
    "UNKNOWN",
    "Cancelled",
    "CheckFailure",
    "CheckRequest",
    "CheckResponse",
    "Constructor",
    "CreateRequest",
    "CreateResponse",
    "CustomResource",
    "DeleteRequest",
    "DiffKind",
    "DiffRequest",
    "DiffResponse",
    "EngineLog",
    "Made",
    "MakeComponent",
    "Operation",
    "Parent",
    "PluginError",
    "Properties",
    "PropertyDiff",
    "ReadRequest",
    "ReadResponse",
    "ResourceInitFailed",
    "ResourceLog",
    "ResourceServicer",
    "Secret",
    "Severity",
    "Unknown",
    "UpdateRequest",
    "UpdateResponse",
    "Value",
    "answer",
    "changed_inputs",
    "detail_diff",
    "diff_message",
    "fail",
    "from_struct",
    "has_secret",
    "has_unknown",
    "main",
    "name_of",
    "random_id",
    "reveal",
    "reveal_all",
    "serve",
    "to_struct",
    "type_of",
]
