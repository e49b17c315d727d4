"""`down`: destroys the stack if it exists, then stops what set-up started, unless other stacks use it."""

import subprocess

from bootstrap.commands import stacks, stale_lock
from bootstrap.console import Step
from bootstrap.context import Context
from bootstrap.errors import BootstrapError
from bootstrap.layout import RUN
from bootstrap.node import node
from bootstrap.steps import docker_engine, object_store, registry
from bootstrap.system import host_network, leftovers, owner


def run(context: Context, stack: str) -> int:
    """Returns 0 once the stack is destroyed. Raises BootstrapError, with nothing stopped, if that fails."""
    in_use = stacks.in_use(context)
    mine = [name for name in in_use if stacks.same(name, stack)]
    others = [name for name in in_use if name not in mine]
    if mine:
        _destroy(context, stack)
    else:
        context.console.note(f"stack {stack} has nothing to destroy")
    if others:
        context.console.note(f"nothing was stopped, because other stacks have resources: {', '.join(others)}")
        for name in others:
            context.console.note(f"  {_way_down(name)}")
        return 0
    if foreign := node.models(context):
        context.console.note(f"nothing was stopped, because other checkouts have models in: {', '.join(foreign)}")
        context.console.note("  run `make down` in the checkout that made them; if that checkout is deleted:")
        context.console.note(f"  kubectl delete namespace {' '.join(foreign)}")
        return 0
    _stop(context)
    return 0


def _way_down(name: str) -> str:
    """Returns the command that destroys a stack. A name with a project is another program's, such as an example's."""
    return stacks.make("down", name) if "/" not in name else f"pulumi destroy --stack {name}"


def _stop(context: Context) -> None:
    with context.console.step("Kubernetes") as step:
        ours = owner.is_ours(context.layout)
        step.done(_say(node.stop(context, step.progress) if ours else []))
    with context.console.step("Registry") as step:
        step.done(_say(_stop_registry(context)))
    if context.facts.object_store:
        with context.console.step(object_store.TITLE) as step:
            step.done(_say([object_store.NAME] if context.daemons.stop(object_store.NAME) else []))
    with context.console.step("Docker engine") as step:
        step.done(_say(_stop_docker(context, step)))
    if ours:
        _sweep(context)


def _say(stopped: list[str]) -> str:
    return f"stopped {', '.join(stopped)}" if stopped else "nothing to stop"


def _destroy(context: Context, stack: str) -> None:
    """Runs `pulumi destroy` with its own output."""
    if stacks.needs_cluster(context, stack) and not _cluster_is_up(context):
        raise BootstrapError(
            f"stack {stack} still has resources, but the local cluster is stopped",
            [f"run make setup, then {stacks.make('down', stack)}, which destroys the stack and stops everything"],
        )
    stale_lock.release(context, stack)
    argv = ["pulumi", "destroy", "--yes", "--stack", stack, "--skip-preview", "--non-interactive"]
    done = subprocess.run(argv, env=context.variables, cwd=context.layout.root, check=False)
    if done.returncode:
        raise BootstrapError(
            f"`pulumi destroy` of stack {stack} failed (see above); nothing was stopped",
            [f"fix the problem and run {stacks.make('down', stack)} again"],
        )


def _cluster_is_up(context: Context) -> bool:
    """Whether the cluster's objects can be destroyed. Our own cluster must run; for others, pulumi reports problems."""
    return context.facts.kubeconfig != str(context.layout.kubeconfig) or node.is_running(context)


def _stop_registry(context: Context) -> list[str]:
    stopped = [registry.NAME] if context.daemons.stop(registry.NAME) else []
    return stopped + registry.remove_container(context)


def _stop_docker(context: Context, step: Step) -> list[str]:
    if not context.daemons.running(docker_engine.NAME):
        context.daemons.stop(docker_engine.NAME)  # removes the record of an engine that has ended
        return []
    step.progress("stopping containers")
    host_network.note_bridges(context.layout, docker_engine.bridges(context))
    context.daemons.stop(docker_engine.NAME, grace_seconds=40.0)
    return [docker_engine.NAME]


def _sweep(context: Context) -> None:
    """Removes children, mounts, network settings and sockets once all our programs have stopped."""
    layout = context.layout
    if context.daemons.names():
        return
    stuck = [*docker_engine.clear_away(), *leftovers.unmount([layout.tools])]
    if stuck:
        context.console.warn(f"still mounted: {', '.join(stuck)}")
    leftovers.remove_fixed_folders()
    host_network.restore(layout)
    owner.release(layout)
    if RUN.exists() and not any(RUN.iterdir()):
        RUN.rmdir()
