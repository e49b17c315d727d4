"""A component's `args`, checked against the declarations of its settings: known values at once, others later."""

from collections.abc import Collection, Mapping
from inspect import isawaitable
from typing import Any, Generic, TypeVar

import pulumi

from sealift.durable import core_dumps
from sealift.settings.names import input_of
from sealift.settings.problem import Problem, report
from sealift.settings.read import names_of, read

Settings = TypeVar("Settings")


class Checked(Generic[Settings]):
    """Checked `args` of the component `what`, such as `ModelDeployment "model"`.

    Raises pulumi.RunError with all problems of the known values, before anything is registered.
    """

    def __init__(
        self, what: str, of: type[Settings], args: Mapping[str, Any], *problems: Problem, known: Collection[str] = ()
    ) -> None:
        """`known` names the inputs that determine which resources exist. They cannot be another resource's output."""
        core_dumps.forbid()  # a component's program gets private keys
        self._what, self._of, self._args = what, of, args
        unknown = [name for name, value in args.items() if not _is_plain(value)]
        self.plain, found = read(of, args, what, unknown=unknown)
        """Settings with the known values. An unknown value is replaced by its default."""
        waited_for = [
            Problem(name, "is another resource's output; allowed: a value that is known when the program starts")
            for name in known
            if name in unknown
        ]
        self._refuse([*problems, *waited_for, *found])

    def settings(self, *unshaped: str) -> pulumi.Output[Settings]:
        """Returns all settings, checked once they are known. Known values are checked while others are still unknown.

        `unshaped` names inputs that the caller passes on itself: the settings have their defaults and do not wait for
        them.
        """
        outputs = {name: pulumi.Output.from_input(value) for name, value in self._args.items()}
        # A known value is wrapped in a tuple and an unknown one is None: a value that contains an unknown is unknown.
        held = {
            name: value.apply(
                lambda known: None if pulumi.contains_unknowns(known) else (known,), run_with_unknowns=True
            )
            for name, value in outputs.items()
        }
        secret = {name: value.is_secret() for name, value in outputs.items()}
        # Unsecret, because its value is None: a secret input must not make the other settings secret.
        all_known = pulumi.Output.all(pulumi.Output.all(**held), pulumi.Output.all(**secret))
        passed = pulumi.Output.unsecret(all_known.apply(lambda known: self._check(*known)))
        shaping = {name: self._args.get(name) for name in names_of(self._of) if name not in unshaped}
        return pulumi.Output.all(passed, pulumi.Output.all(**shaping)).apply(
            lambda known: read(self._of, known[1], self._what, unknown=unshaped)[0]
        )

    def _check(self, held: Mapping[str, tuple[object] | None], secret: Mapping[str, bool]) -> None:
        values = {name: value[0] for name, value in held.items() if value is not None}
        problems = read(self._of, values, self._what, unknown=[name for name in held if held[name] is None])[1]
        self._refuse([_hide(one) if secret.get(input_of(one.property)) else one for one in problems])

    def _refuse(self, problems: list[Problem]) -> None:
        """Raises pulumi.RunError with all problems, if any. The CLI shows it without a traceback."""
        if problems:
            raise pulumi.RunError(report(f"{self._what} cannot be created", problems))


def _hide(problem: Problem) -> Problem:
    """Returns the problem of a secret without the secret's value."""
    return Problem(problem.property, "is not allowed; its value is a secret and is not shown", problem.hint)


def _is_plain(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(_is_plain(item) for item in value.values())
    if isinstance(value, list | tuple):
        return all(_is_plain(item) for item in value)
    return not isinstance(value, pulumi.Output) and not isawaitable(value)
