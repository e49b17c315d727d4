"""What an update would do to what runs, and what stands in its way, said in the preview: the engine knows what the last
update asked for, and hands it to hooks.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pulumi

from components.container_spec import STACK_LABEL
from components.quantity import QuantityError, parse
from components.quota import PodResources, Running, find_rolling_problems
from components.reach import container_at, label_of, owner_of_node_port, user_of_port
from components.settings.container import ContainerSettings
from components.settings.deployment import DeploymentSettings
from components.settings.server import LET_IN, ServerSettings
from sealift.settings.problem import Problem, report

OUTAGE: Final = (
    "the container that serves now ends before the new one starts, because only one can have its port, so for some "
    "seconds nothing answers; with `target: kubernetes` no request is lost"
)
Hook = Callable[[pulumi.ResourceHookArgs], Awaitable[None]]


def fits_beside(what: str, name: str, settings: pulumi.Output[DeploymentSettings]) -> pulumi.ResourceHook:
    """Refuses an update whose first new pod would not fit into the quota beside the pods that run."""

    async def refuse(args: pulumi.ResourceHookArgs) -> None:
        known, running = await settings.future(), find_running(args.old_inputs or {})
        if known is None or running is None:
            return
        problems = [*find_rolling_problems(running, known.quota, known.replicas, known.pod)]
        if problems:
            raise pulumi.RunError(report(f"{what} cannot be rolled", problems))

    return _hook(f"{name}-fits", refuse)


def locks_out(component: pulumi.Resource, name: str, settings: pulumi.Output[ServerSettings]) -> pulumi.ResourceHook:
    """Warns of keys that the servers take now, and would not take any more."""

    async def warn(args: pulumi.ResourceHookArgs) -> None:
        _warn_of_lockout(component, await settings.future(), keys_of(args.old_inputs or {}))

    return _hook(f"{name}-locks-out", warn)


def finds_free(what: str, name: str) -> pulumi.ResourceHook:
    """Refuses a new Service whose node port another one has."""

    async def refuse(args: pulumi.ResourceHookArgs) -> None:
        options = kubectl_options()
        if options is None:
            return
        for port in (args.new_inputs or {}).get("spec", {}).get("ports") or []:
            number = int(port.get("nodePort") or 0)
            owner = await asyncio.to_thread(owner_of_node_port, number, options) if number else None
            if owner is not None:
                message = f"is {number}, which the Service {owner} of the cluster has; allowed: a free one"
                way = f"`pulumi config set --path deployment.nodePort 0 --stack {pulumi.get_stack()}`"
                hint = f"set another nodePort, or 0 to let Kubernetes choose: {way}"
                raise pulumi.RunError(report(f"{what} cannot be made", [Problem("nodePort", message, hint)]))

    return _hook(f"{name}-finds-free", refuse)


def takes_over(
    component: pulumi.Resource, what: str, name: str, stack: str, settings: pulumi.Output[ContainerSettings]
) -> pulumi.ResourceHook:
    """Refuses a new container one of whose ports something else has, and warns of what ends with the one before it.

    `stack` is PROJECT/STACK: containers of other stacks have names that begin like this one's. Those of an earlier
    release do not say whose they are.
    """

    async def look(args: pulumi.ResourceHookArgs) -> None:
        del args
        known = await settings.future()
        if known is None:
            return
        problems, before = [], ""
        for setting_name, port in known.ports.items():
            container = await asyncio.to_thread(container_at, port)
            of = await asyncio.to_thread(label_of, container, STACK_LABEL) if container else None
            if container and container.startswith(f"{name}-") and of in ("", stack):
                before = container
                continue
            user = await asyncio.to_thread(user_of_port, known.address, port, container, os.environ)
            if user is not None:
                message = f"is {port}, which {user} has; allowed: a free one"
                problems.append(Problem(setting_name, message, f"set another {setting_name}, or end {user}"))
        if problems:
            raise pulumi.RunError(report(f"{what} cannot be made", problems))
        if before:
            pulumi.log.warn(OUTAGE, component)
            _warn_of_lockout(component, known, _names(await asyncio.to_thread(label_of, before, LET_IN)))

    return _hook(f"{name}-takes-over", look)


def kubectl_options() -> list[str] | None:
    """By which kubectl asks the cluster that the provider's config names; None where kubectl cannot be told."""
    config = pulumi.Config("kubernetes")
    context, file = config.get("context"), config.get("kubeconfig")
    if file and not _is_file(file):  # the content itself, which is often a secret
        return None
    return [*([f"--context={context}"] if context else []), *([f"--kubeconfig={file}"] if file else [])]


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # no path, such as one that is too long
        return False


def find_running(inputs: Mapping[str, Any]) -> Running | None:
    """What a Deployment's inputs ask for; None if that is not known, or not as this component writes it."""
    try:
        spec = inputs["spec"]
        resources = spec["template"]["spec"]["containers"][0]["resources"]
        amounts = (parse(kind, resources[part][kind]) for part in ("requests", "limits") for kind in ("cpu", "memory"))
        return Running(int(spec["replicas"]), PodResources(*amounts))
    except (KeyError, IndexError, TypeError, ValueError, QuantityError):
        return None


def keys_of(inputs: Mapping[str, Any]) -> list[str]:
    """Names of the keys that a Service's inputs say are let in; none if they do not."""
    annotations = (inputs.get("metadata") or {}).get("annotations") or {}
    return _names(str(annotations.get(LET_IN, "")))


def _names(let_in: str) -> list[str]:
    return [name for name in let_in.split(",") if name]


def lockout(names: list[str]) -> str:
    """What clients with these keys will meet."""
    keys = ", ".join(f"'{name}'" for name in names)
    return f"clients that send the key {keys} will be answered with 401: apiKeys no longer lets it in"


def _warn_of_lockout(component: pulumi.Resource, known: ServerSettings | None, let_in: list[str]) -> None:
    if known is None or known.auth == "none":
        return
    gone = [key for key in let_in if key not in known.valid_api_keys]
    if gone:
        pulumi.log.warn(lockout(gone), component)


def _hook(name: str, function: Hook) -> pulumi.ResourceHook:
    """What a hook raises is shown: of anything but a refusal, no more than its type, since it may quote a secret."""

    async def guard(args: pulumi.ResourceHookArgs) -> None:
        try:
            await function(args)
        except pulumi.RunError:
            raise
        except Exception as error:  # noqa: BLE001 - an update does not fail for what only wanted to warn
            pulumi.log.warn(f"{name} could not be checked: {type(error).__name__}")

    return pulumi.ResourceHook(name, guard, pulumi.ResourceHookOptions(on_dry_run=True))
