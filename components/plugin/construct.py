"""Components that this plugin constructs for programs in other languages, from the engine's inputs.

ModelImage and ModelDeployment need the Docker and Kubernetes plugins. They are in the schema, but not yet here.
"""

from collections.abc import Mapping
from typing import Any, Final, cast

import pulumi

from components.args import EncryptedArtifactStoreArgs
from sealift.names import camel_case
from sealift.provider import Made, MakeComponent


def _artifact_store(name: str, args: dict[str, Any], opts: pulumi.ResourceOptions) -> Made:
    from components.artifact_store import EncryptedArtifactStore  # not needed for resources

    return _with_outputs(EncryptedArtifactStore(name, cast(EncryptedArtifactStoreArgs, args), opts))


def _with_outputs(component: pulumi.ComponentResource) -> Made:
    return component, {camel_case(name): getattr(component, name) for name in type(component).__annotations__}


COMPONENTS: Final[Mapping[str, MakeComponent]] = {"sealift:index:EncryptedArtifactStore": _artifact_store}
