"""`TrainingRun`: the program's side of the resource that trains and seals (components/plugin/training_run.py)."""

from collections.abc import Mapping
from typing import Any

import pulumi

from components.args import TrainingRunArgs
from components.plugin_resource import PluginResource
from components.run_outputs import TrainingRunOutputs
from components.settings.run import SECRET_INPUTS


class TrainingRun(TrainingRunOutputs, PluginResource):
    """One run of gradient descent, sealed into a store. Unchanged inputs train nothing; a preview never trains."""

    run_id: pulumi.Output[str]
    """Keyed identity of the run: all that shapes the artifact, and nothing that would confirm a thief's guess."""
    content_id: pulumi.Output[str]
    """Keyed digest of the plain model: equal for bit-for-bit equal models sealed into one store."""

    def __init__(self, resource_name: str, args: TrainingRunArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """What is wrong with `args` is told by the plugin's check. Objects among them are dicts."""
        given: Mapping[str, Any] = dict(args)
        hidden = {name: pulumi.Output.secret(given[name]) for name in SECRET_INPUTS if given.get(name) is not None}
        super().__init__(
            "TrainingRun", resource_name, {**given, **hidden}, ["example", "privateKey", "openingKeys"], opts
        )
