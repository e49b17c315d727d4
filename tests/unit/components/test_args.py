"""The components' `args` are what Pulumi's own analyzer of components can read, with every property described."""

from typing import Any

import pulumi
import pytest
from pulumi.provider.experimental.analyzer import Analyzer

from components.artifact_store import EncryptedArtifactStore
from components.model_deployment import ModelDeployment
from components.model_image import ModelImage
from components.settings.deployment import ModelDeploymentInputs
from components.settings.image import ModelImageInputs
from components.settings.store import StoreSettings
from sealift.settings.declare import declarations


@pytest.mark.parametrize(
    ("component", "declared"),
    [
        (EncryptedArtifactStore, StoreSettings),
        (ModelImage, ModelImageInputs),
        (ModelDeployment, ModelDeploymentInputs),
    ],
)
def test_the_sdk_s_analyzer_finds_what_is_declared(
    component: type[pulumi.ComponentResource], declared: type[Any]
) -> None:
    found = Analyzer("sealift").analyze_component(component)

    assert {name: not one.optional for name, one in found.inputs.items()} == {
        one.name: one.required for one in declarations(declared)
    }
    for name, one in found.inputs.items():
        assert one.description, name
