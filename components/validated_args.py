"""A component's `args`, checked by the declarations of its settings: what is known at once, the rest later."""

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
    """`args` of the component `what`, such as `ModelDeployment "model"`.

    Raises pulumi.RunError with all that is wrong with what needs no waiting, before anything is registered.
    """

    def __init__(
        self, what: str, of: type[Settings], args: Mapping[str, Any], *problems: Problem, known: Collection[str] = ()
    ) -> None:
        """`known` are names that shape what is registered: they cannot be another resource's output."""
        core_dumps.forbid()  # a component's program is given private keys
        self._what, self._of, self._args = what, of, args
        unknown = [name for name, value in args.items() if not _is_plain(value)]
        self.plain, found = read(of, args, what, unknown=unknown)
        """What is known; the default stands for what is not."""
        waited_for = [
            Problem(name, "is another resource's output; allowed: what the program knows when it starts")
            for name in known
            if name in unknown
        ]
        self._refuse([*problems, *waited_for, *found])

    def settings(self, *unshaped: str) -> pulumi.Output[Settings]:
        """All of them, checked once they are known. What is known is checked, even while something is not.

        `unshaped` are names that the caller hands on by themselves: the settings have their defaults, and are known
        without them.
        """
        outputs = {name: pulumi.Output.from_input(value) for name, value in self._args.items()}
        # A value is held in a tuple, and None stands for an unknown one: what contains an unknown is itself not known.
        held = {
            name: value.apply(
                lambda known: None if pulumi.contains_unknowns(known) else (known,), run_with_unknowns=True
            )
            for name, value in outputs.items()
        }
        secret = {name: value.is_secret() for name, value in outputs.items()}
        # Unsecret, because its value is None: a secret among the inputs makes nothing else secret.
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
        """Ends the program with all the problems and without a traceback, if there are any."""
        if problems:
            raise pulumi.RunError(report(f"{self._what} cannot be made", problems))


def _hide(problem: Problem) -> Problem:
    """What is wrong with a secret, without its value."""
    return Problem(problem.property, "is not allowed; it is a secret, so it is not shown", problem.hint)


def _is_plain(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(_is_plain(item) for item in value.values())
    if isinstance(value, list | tuple):
        return all(_is_plain(item) for item in value)
    return not isinstance(value, pulumi.Output) and not isawaitable(value)
