"""`TrainingRun`: the program's side of the resource that trains and seals (components/plugin/training_run.py)."""

from collections.abc import Mapping
from typing import Any

import pulumi

from components.args import TrainingRunArgs
from components.plugin_resource import PluginResource
from components.run_outputs import TrainingRunOutputs
from components.settings.run import SECRET_INPUTS


class TrainingRun(TrainingRunOutputs, PluginResource):
    """Training run (gradient descent) whose model is sealed into a store. Unchanged inputs train nothing. A preview
    never trains.
    """

    run_id: pulumi.Output[str]
    """Keyed identity of the run, derived from everything that changes the artifact. Without the store key, nobody can
    use it to confirm a guess."""
    content_id: pulumi.Output[str]
    """Keyed digest of the plain model. Models sealed into one store have the same digest if they are equal bit for
    bit."""
    data_key: pulumi.Output[str | None]
    """Data key of the artifact, which opens it and no other. A server gets it as its private key. Not set unless
    the first of `openingKeys` is in a KMS, or the artifact has a key-encryption key of its own. Secret."""

    def __init__(self, resource_name: str, args: TrainingRunArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """The plugin's check validates `args`. Objects in `args` are dicts."""
        given: Mapping[str, Any] = dict(args)
        hidden = {name: pulumi.Output.secret(given[name]) for name in SECRET_INPUTS if given.get(name) is not None}
        super().__init__(
            "TrainingRun", resource_name, {**given, **hidden}, ["example", "privateKey", "openingKeys", "dataKey"], opts
        )
