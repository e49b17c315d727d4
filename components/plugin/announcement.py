"""What a preview says of an update to come: whether it trains, and because of which changes, in the user's words."""

import asyncio
from collections.abc import Mapping, Sequence

from components.plugin.cluster import ClusterNamespace, ClusterSilent
from components.plugin.data_check import DataFindings
from components.plugin.foretold import foretell, is_run
from components.plugin.job_quota import find_shortfalls
from sealift.names import counted
from sealift.provider import Operation, Properties, Value, reveal, reveal_all
from sealift.settings import read
from sealift.settings.urls import without_credentials
from training.options import Compute


async def announce(
    operation: Operation, inputs: Properties, because: str, data: DataFindings, kept: Mapping[str, Value]
) -> str | None:
    """Announces the update in a preview, and returns the artifact that is already sealed for these inputs. `kept`: the
    current outputs. Raises PluginError or StoreError if the run could not be trained.
    """
    sealed = await asyncio.to_thread(foretell, inputs, kept.get("metrics"))
    if sealed is None and kept.get("runId") is not None and await asyncio.to_thread(is_run, inputs, kept["runId"]):
        because += ", and the store has no record of the run, which checking the model again would need"
    if sealed is not None and sealed == kept.get("artifactId"):
        what = f"will check the sealed artifact {sealed} of {_describe_run(inputs)} again and rewrite its report"
        await operation.log.status(f"{what}, without training{because}")
    elif sealed is None:
        compute = _find_place(inputs)
        await operation.log.status(f"will train {_describe_run(inputs)}{_describe_place(compute)}{because}")
        if compute.kind == "job":
            await _check_quotas(operation, compute)
    else:
        await operation.log.status(f"will reuse the sealed artifact {sealed} of {_describe_run(inputs)}{because}")
    if data.unchecked:
        dataset = without_credentials(str(reveal(inputs.get("dataset"))))
        await operation.log.say("warning", f"{dataset} is not checked in this preview: {data.unchecked}")
    return sealed


def describe_changes(names: Sequence[str], old: Mapping[str, Value], new: Mapping[str, Value], rows: str) -> str:
    """Returns the changes, such as "data/churn.csv changed (3,000 → 3,001 rows)". Among several changes, the rows
    follow the data's name.
    """
    said = {name: _describe_change(name, old, new) for name in names}
    if not rows or "dataDigest" not in said or "dataset" in said:
        return f"{', '.join(said.values())} changed"
    if len(said) == 1:
        return f"{said['dataDigest']} changed ({rows})"
    said["dataDigest"] += f" ({rows})"
    return f"{', '.join(said.values())} changed"


def _describe_change(name: str, old: Mapping[str, Value], new: Mapping[str, Value]) -> str:
    """Returns a changed input in the user's words: a digest is named after its content."""
    if name == "dataDigest" and reveal(old.get("dataset")) == reveal(new.get("dataset")):
        return without_credentials(str(reveal(new["dataset"])))
    if name == "codeDigest":
        return "code (codeDigest)"
    if name == "libraries" and name in old:
        before, after = (str(reveal(inputs[name])).split(", ") for inputs in (old, new))
        return f"libraries ({', '.join(sorted({*before} - {*after}))} → {', '.join(sorted({*after} - {*before}))})"
    return name


def describe_other_machine(trained_on: Value, here: Value) -> str:
    return (
        f"the model was trained on {trained_on}, but this machine is {here}, where the same run can give a different "
        "model. `pulumi up` trains again here. On a machine of the first type it keeps the model"
    )


def _find_place(inputs: Mapping[str, Value]) -> Compute:
    """Returns the place of the training, as far as it is known."""
    given = reveal_all({"compute": inputs.get("compute")})["compute"]
    return read(Compute, given if isinstance(given, Mapping) else {}, "compute")[0]


def _describe_place(compute: Compute) -> str:
    """Returns where the run will train and what it will take, unless that is this machine."""
    if compute.kind == "local":
        return ""
    gpus = f", {counted(compute.gpus, 'GPU')}" if compute.gpus else ""
    pods = f"{compute.nodes} pods with " if compute.nodes > 1 else ""
    return f" in a Job of the namespace {compute.namespace} ({pods}{compute.cpu} CPU, {compute.memory} of memory{gpus})"


async def _check_quotas(operation: Operation, compute: Compute) -> None:
    """Warns of quotas that have too little left. Raises PluginError if the namespace does not exist."""
    try:
        cluster = await asyncio.to_thread(ClusterNamespace, compute.namespace, compute.context)
        quotas = await asyncio.to_thread(cluster.quotas)
    except ClusterSilent as error:
        await operation.log.say("warning", f"the namespace of the training Job is not checked: {error.message}")
        return
    for shortfall in find_shortfalls(quotas, compute, compute.namespace):
        await operation.log.say("warning", shortfall)


def _describe_run(inputs: Mapping[str, Value]) -> str:
    model, dataset = reveal(inputs.get("model", "net")), reveal(inputs.get("dataset", "diabetes"))
    return without_credentials(f"{model} on {dataset}")
