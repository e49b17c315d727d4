"""The list of steps. Each needs those before it."""

from collections.abc import Callable
from dataclasses import dataclass

from bootstrap import (
    base_image,
    docker_engine,
    engine,
    kubernetes,
    plugins,
    python_environment,
    registry,
    stack_state,
    wheels,
)
from bootstrap.console import Step
from bootstrap.context import Context


@dataclass(frozen=True)
class SetupStep:
    """`ensure` makes sure the part is there: at once where it is, and the same however often it is called."""

    title: str
    ensure: Callable[[Context, Step], None]


MODULES = (stack_state, python_environment, engine, plugins, docker_engine, registry, base_image, kubernetes, wheels)
SETUP = tuple(SetupStep(module.TITLE, module.ensure) for module in MODULES)


def run(context: Context) -> None:
    """All of them, one line each."""
    for one in SETUP:
        with context.console.step(one.title) as step:
            one.ensure(context, step)
