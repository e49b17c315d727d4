"""Checks and warnings about an update's effect on running servers, in previews too. They are resource hooks, which get
the last update's inputs from the engine.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pulumi

from components.autoscaler_spec import read_range
from components.container_spec import STACK_LABEL
from components.quantity import QuantityError, parse
from components.quota import PodResources, Running, find_rolling_problems
from components.reach import (
    OWN_METRICS,
    RESOURCE_METRICS,
    container_at,
    find_unserved,
    label_of,
    owner_of_node_port,
    user_of_port,
)
from components.settings.container import ContainerSettings
from components.settings.deployment import DeploymentSettings
from components.settings.server import LET_IN, ServerSettings
from sealift.settings.problem import Problem, report

OUTAGE: Final = (
    "the running container stops before the new one starts, because only one container can use the port. Requests fail "
    "for some seconds. With `target: kubernetes` no request is lost"
)
UNSERVED: Final = (
    "autoscaling: the cluster does not serve {}, so the number of pods does not follow the load; install "
    "metrics-server for metrics.k8s.io, an adapter such as prometheus-adapter for custom.metrics.k8s.io"
)
Hook = Callable[[pulumi.ResourceHookArgs], Awaitable[None]]


def fits_beside(what: str, name: str, settings: pulumi.Output[DeploymentSettings]) -> pulumi.ResourceHook:
    """Refuses an update if its first new pod would not fit into the quota beside the running pods."""

    async def refuse(args: pulumi.ResourceHookArgs) -> None:
        known, running = await settings.future(), find_running(args.old_inputs or {})
        if known is None or running is None:
            return
        problems = [*find_rolling_problems(running, known.quota, known.most_replicas, known.pod)]
        if problems:
            raise pulumi.RunError(report(f"{what} cannot be updated", problems))

    return _hook(f"{name}-fits", refuse)


def ends_autoscaling(what: str, name: str, settings: pulumi.Output[DeploymentSettings]) -> pulumi.ResourceHook:
    """Refuses to remove an autoscaler that may still change the number of replicas."""

    async def refuse(args: pulumi.ResourceHookArgs) -> None:
        known, before = await settings.future(), read_range(args.old_inputs or {})
        if known is None or known.autoscaling is not None or before is None:
            return
        wanted = known.first_replicas
        if before != (wanted, wanted):
            message = f"cannot be removed yet: the running autoscaler chooses {before[0]} to {before[1]} replicas"
            hint = (
                f"first set autoscaling.minReplicas and autoscaling.maxReplicas to {wanted} and run `pulumi up`; then "
                f"remove autoscaling and set replicas to {wanted}"
            )
            raise pulumi.RunError(report(f"{what} cannot be updated", [Problem("autoscaling", message, hint)]))

    return _hook(f"{name}-ends-autoscaling", refuse)


def finds_metrics(
    component: pulumi.Resource, name: str, settings: pulumi.Output[DeploymentSettings]
) -> pulumi.ResourceHook:
    """Warns if the cluster does not serve the metrics by which pods are added and removed."""

    async def warn(args: pulumi.ResourceHookArgs) -> None:
        del args
        known, options = await settings.future(), kubectl_options()
        if known is None or known.autoscaling is None or options is None:
            return
        scaling = known.autoscaling
        asked = [RESOURCE_METRICS] if scaling.cpu_percent is not None else []
        asked += [OWN_METRICS] if scaling.needs_own_metrics else []
        unserved = await asyncio.to_thread(find_unserved, asked, options)
        if unserved:
            pulumi.log.warn(UNSERVED.format(" and ".join(unserved)), component)

    return _hook(f"{name}-finds-metrics", warn)


def locks_out(component: pulumi.Resource, name: str, settings: pulumi.Output[ServerSettings]) -> pulumi.ResourceHook:
    """Warns of keys that the servers accept now and would no longer accept."""

    async def warn(args: pulumi.ResourceHookArgs) -> None:
        _warn_of_lockout(component, await settings.future(), keys_of(args.old_inputs or {}))

    return _hook(f"{name}-locks-out", warn)


def finds_free(what: str, name: str) -> pulumi.ResourceHook:
    """Refuses a new Service if another one uses its node port."""

    async def refuse(args: pulumi.ResourceHookArgs) -> None:
        options = kubectl_options()
        if options is None:
            return
        for port in (args.new_inputs or {}).get("spec", {}).get("ports") or []:
            number = int(port.get("nodePort") or 0)
            owner = await asyncio.to_thread(owner_of_node_port, number, options) if number else None
            if owner is not None:
                message = f"is {number}, but the Service {owner} of the cluster uses it; allowed: a free port"
                way = f"`pulumi config set --path deployment.nodePort 0 --stack {pulumi.get_stack()}`"
                hint = f"set another nodePort, or 0 to let Kubernetes choose: {way}"
                raise pulumi.RunError(report(f"{what} cannot be created", [Problem("nodePort", message, hint)]))

    return _hook(f"{name}-finds-free", refuse)


def takes_over(
    component: pulumi.Resource, what: str, name: str, stack: str, settings: pulumi.Output[ContainerSettings]
) -> pulumi.ResourceHook:
    """Refuses a new container if something else uses one of its ports, and warns of the effects of replacing the old
    container.

    `stack` is PROJECT/STACK: containers of other stacks have names that begin in the same way. Containers of an earlier
    release have no label with their stack.
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
                message = f"is {port}, but {user} uses it; allowed: a free port"
                problems.append(Problem(setting_name, message, f"set another {setting_name}, or stop {user}"))
        if problems:
            raise pulumi.RunError(report(f"{what} cannot be created", problems))
        if before:
            pulumi.log.warn(OUTAGE, component)
            _warn_of_lockout(component, known, _names(await asyncio.to_thread(label_of, before, LET_IN)))

    return _hook(f"{name}-takes-over", look)


def kubectl_options() -> list[str] | None:
    """Returns kubectl's options for the cluster in the provider's config, or None if no options can name it."""
    config = pulumi.Config("kubernetes")
    context, file = config.get("context"), config.get("kubeconfig")
    if file and not _is_file(file):  # the file's content, which is often a secret
        return None
    return [*([f"--context={context}"] if context else []), *([f"--kubeconfig={file}"] if file else [])]


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # not a path, such as a text that is too long
        return False


def find_running(inputs: Mapping[str, Any]) -> Running | None:
    """Reads pods and resources from a Deployment's inputs. Returns None if they are unknown, or not in this component's
    form.
    """
    try:
        spec = inputs["spec"]
        resources = spec["template"]["spec"]["containers"][0]["resources"]
        amounts = (parse(kind, resources[part][kind]) for part in ("requests", "limits") for kind in ("cpu", "memory"))
        _, replicas = read_range(inputs) or (1, int(spec["replicas"]))
        return Running(replicas, PodResources(*amounts))
    except (KeyError, IndexError, TypeError, ValueError, QuantityError):
        return None


def keys_of(inputs: Mapping[str, Any]) -> list[str]:
    """Returns the names of the accepted keys from a Service's inputs, or an empty list if they are missing."""
    annotations = (inputs.get("metadata") or {}).get("annotations") or {}
    return _names(str(annotations.get(LET_IN, "")))


def _names(let_in: str) -> list[str]:
    return [name for name in let_in.split(",") if name]


def lockout(names: list[str]) -> str:
    """Returns the warning for clients with these keys."""
    keys = ", ".join(f"'{name}'" for name in names)
    return f"requests with the API key {keys} will get status 401, because apiKeys no longer accepts it"


def _warn_of_lockout(component: pulumi.Resource, known: ServerSettings | None, let_in: list[str]) -> None:
    if known is None or known.auth == "none":
        return
    gone = [key for key in let_in if key not in known.valid_api_keys]
    if gone:
        pulumi.log.warn(lockout(gone), component)


def _hook(name: str, function: Hook) -> pulumi.ResourceHook:
    """Makes a hook. Of an unexpected error it shows only the type, because the message may quote a secret."""

    async def guard(args: pulumi.ResourceHookArgs) -> None:
        try:
            await function(args)
        except pulumi.RunError:
            raise
        except Exception as error:  # noqa: BLE001 - a failed check must not fail the update
            pulumi.log.warn(f"{name} could not be checked: {type(error).__name__}")

    return pulumi.ResourceHook(name, guard, pulumi.ResourceHookOptions(on_dry_run=True))
