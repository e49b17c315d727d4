"""What the checks of our resources share: inputs made complete, and problems as the engine is told them."""

import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

from sealift.provider import CheckFailure, CheckResponse, PluginError, Properties, has_unknown, reveal_all
from sealift.settings import Problem, read
from sealift.settings.declare import declarations
from sealift.settings.read import texts_read
from sealift.stores import StoreUrlInvalid, absolute_url


def complete(of: type[Any], given: Properties) -> Properties:
    """With the defaults of what is on by default, so that a release with another default shows what it changes, and
    with the store's URL as any process may use it; one that is none stays, for the check to tell. Numbers where text is
    meant are their texts.
    """
    defaults: Properties = {
        one.name: one.default  # type: ignore[misc]  # a default is a value that Pulumi has
        for one in declarations(of)
        if one.kind is not None and not one.required and one.default not in (None, (), {})
    }
    inputs: Properties = defaults | cast("Properties", texts_read(of, given))
    url = inputs.get("storeUrl")
    if isinstance(url, str):
        with contextlib.suppress(StoreUrlInvalid):
            inputs["storeUrl"] = absolute_url(url, Path.cwd())
    return inputs


def check(of: type[Any], given: Properties, what: str) -> CheckResponse:
    """All problems of the inputs at once; unknown ones are left for the real run. `what` is "an API key"."""
    inputs = complete(of, given)
    unknown = [name for name, value in inputs.items() if has_unknown(value)]
    return CheckResponse(inputs, failures(read(of, reveal_all(inputs), what, unknown=unknown)[1]))


def refuse_import(what: str, import_id: str) -> PluginError:
    """The error that refuses an import. `what` is "an ApiKey"."""
    return PluginError(
        f"{what} cannot be imported, so {import_id!r} names none: its key is kept in the state of the stack that made "
        "it, and nowhere else",
        "move the resource with `pulumi state move`, or let `pulumi up` make a new key",
    )


def failures(problems: Iterable[Problem]) -> list[CheckFailure]:
    """One for each."""
    return [CheckFailure(problem.property, problem.message) for problem in problems]
