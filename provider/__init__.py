"""The Pulumi engine's protocol, for any plugin: what a custom resource answers to, and the process that serves it.

    resource.py        the contract: one class per resource type, and what the engine asks it and is told
    values.py          inputs and outputs as plain Python, with unknowns and secrets
    errors.py          failures that a user can mend, and how they are said
    engine_log.py      lines and live status in the engine's own display
    property_path.py   the engine's names for what is inside a property
    servicer.py        the gRPC service: dispatches by resource type
    serve.py           the plugin's process, from the first line on stdout to the engine's end

A new plugin writes one class per resource with the methods of `CustomResource`, and a `__main__` of one call:
`main("pulumi-resource-NAME", lambda log: ResourceServicer({"NAME:index:Thing": Thing()}, "1.0.0", log))`.
An executable of that name on PATH, or under `plugins.providers` in Pulumi.yaml, is all that the engine needs.

It imports nothing of ours. Components (Construct), invokes and schemas are not served.
"""

from provider.engine_log import EngineLog, ResourceLog, Severity
from provider.errors import Cancelled, PluginError
from provider.resource import (
    Change,
    Check,
    Checked,
    Created,
    CustomResource,
    Difference,
    Failure,
    Operation,
    State,
    changed_inputs,
    name_of,
    random_id,
)
from provider.serve import main, serve
from provider.servicer import ResourceServicer
from provider.values import (
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
    "Change",
    "Check",
    "Checked",
    "Created",
    "CustomResource",
    "Difference",
    "EngineLog",
    "Failure",
    "Operation",
    "PluginError",
    "Properties",
    "ResourceLog",
    "ResourceServicer",
    "Secret",
    "Severity",
    "State",
    "Unknown",
    "Value",
    "changed_inputs",
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
]
