"""The list of steps. Each step needs the steps before it."""

from collections.abc import Callable
from dataclasses import dataclass

from bootstrap.console import TITLE_COLUMNS, Step
from bootstrap.context import Context
from bootstrap.steps import (
    base_image,
    docker_engine,
    engine,
    kubernetes,
    metrics_server,
    object_store,
    plugins,
    python_environment,
    registry,
    stack_state,
    wheels,
)


@dataclass(frozen=True)
class SetupStep:
    """A step. `ensure` provides the part, and does nothing if the part already exists."""

    title: str
    ensure: Callable[[Context, Step], None]
    ahead: Callable[[Context], str] = lambda context: ""
    """Returns a note if the step will take long, with an estimate, otherwise "". It does not use the network."""


MODULES = (
    stack_state,
    python_environment,
    engine,
    plugins,
    docker_engine,
    registry,
    object_store,
    base_image,
    kubernetes,
    metrics_server,
    wheels,
)
LONG = (python_environment, engine, object_store, kubernetes, metrics_server)
SETUP = tuple(
    SetupStep(module.TITLE, module.ensure, module.ahead) if module in LONG else SetupStep(module.TITLE, module.ensure)
    for module in MODULES
)


def run(context: Context, *, cluster: bool = True, metrics: bool = False) -> None:
    """Runs all steps, one line each, after announcing the long ones. `cluster` and `metrics`: whether Kubernetes and
    its resource metrics are needed. The object store and the metrics server are left out unless they are asked for, now
    or by an earlier set-up.
    """
    needed = {
        kubernetes.TITLE: cluster,
        metrics_server.TITLE: cluster and (metrics or metrics_server.is_kept(context)),
        object_store.TITLE: object_store.wanted(context),
    }
    steps = [one for one in SETUP if needed.get(one.title, True)]
    long = [(one.title, said) for one in steps if (said := one.ahead(context))]
    if long:
        context.console.line("these parts are made once, with estimated times on two cores:")
        for title, said in long:
            context.console.line(f"  {title:<{TITLE_COLUMNS}} {said}")
    for one in steps:
        with context.console.step(one.title) as step:
            one.ensure(context, step)
