"""Shared parts of the resources' checks and diffs: completed and changed inputs, problems in the engine's form."""

import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, cast

from sealift.provider import (
    CheckFailure,
    CheckResponse,
    DiffKind,
    PluginError,
    Properties,
    Value,
    changed_inputs,
    has_unknown,
    reveal_all,
)
from sealift.settings import Problem, read
from sealift.settings.declare import declarations
from sealift.settings.read import texts_read
from sealift.stores import StoreUrlInvalid, absolute_url, is_same_store

STORE_URLS: Final = ("storeUrl", "keysUrl")
"""Inputs that are the URL of a store."""


def complete(of: type[Any], given: Properties) -> Properties:
    """Adds defaults that are not off, so that a release with another default shows the change. Makes stores' URLs
    absolute; an invalid URL is left for the check. Turns numbers into text where text is expected.
    """
    defaults: Properties = {
        one.name: one.default  # type: ignore[misc]  # a default is a value that Pulumi has
        for one in declarations(of)
        if one.kind is not None and not one.required and one.default not in (None, (), {})
    }
    inputs: Properties = defaults | cast("Properties", texts_read(of, given))
    for name in STORE_URLS:
        url = inputs.get(name)
        if isinstance(url, str):
            with contextlib.suppress(StoreUrlInvalid):
                inputs[name] = absolute_url(url, Path.cwd())
    return inputs


def check(of: type[Any], given: Properties, what: str) -> CheckResponse:
    """Checks all inputs at once. Unknown inputs are checked by the update. `what` is a noun such as "an API key"."""
    inputs = complete(of, given)
    unknown = [name for name, value in inputs.items() if has_unknown(value)]
    return CheckResponse(inputs, failures(read(of, reveal_all(inputs), what, unknown=unknown)[1]))


def find_changed(olds: Mapping[str, Value], news: Mapping[str, Value]) -> dict[str, DiffKind]:
    """Returns the inputs that differ. Another spelling of the same store's URL is no difference."""
    changed = changed_inputs(olds, news)
    for name in STORE_URLS:
        urls = olds.get(name), news.get(name)
        if isinstance(urls[0], str) and isinstance(urls[1], str) and is_same_store(urls[0], urls[1]):
            changed.pop(name, None)
    return changed


def refuse_import(what: str, import_id: str) -> PluginError:
    """Returns the error that refuses an import. `what` is a noun such as "an ApiKey"."""
    return PluginError(
        f"{what} cannot be imported as {import_id!r}: its key exists only in the state of the stack that made it",
        "move the resource with `pulumi state move`, or let `pulumi up` make a new key",
    )


def failures(problems: Iterable[Problem]) -> list[CheckFailure]:
    """Returns the problems as check failures, one for each."""
    return [CheckFailure(problem.property, problem.message) for problem in problems]
