"""Keys for clients: made, rotated with an overlap, and secret all the time."""

import asyncio
import re
from hashlib import sha256
from typing import cast

import pytest

from components.plugin.api_key import ApiKeyResource
from sealift.provider import (
    UNKNOWN,
    CheckRequest,
    CreateRequest,
    DiffRequest,
    PluginError,
    Properties,
    ReadRequest,
    ResourceLog,
    Secret,
    UpdateRequest,
    reveal,
)

URN = "urn:pulumi:dev::project::sealift:index:ApiKey::key"


class Log:
    """What was said, newest last."""

    def __init__(self) -> None:
        self.said: list[str] = []

    async def status(self, message: str) -> None: ...

    async def say(self, severity: str, message: str) -> None:
        self.said.append(f"{severity}: {message}")


LOG = Log()


def checked(**inputs: str | bool) -> Properties:
    answer = asyncio.run(ApiKeyResource().check(CheckRequest(URN, {}, {**inputs})))
    assert answer.failures == []
    return answer.inputs


def create(inputs: Properties, *, preview: bool = False) -> Properties:
    request = CreateRequest(
        urn=URN, log=cast(ResourceLog, LOG), preview=preview, cancelled=asyncio.Event(), inputs=inputs
    )
    return asyncio.run(ApiKeyResource().create(request)).state


def update(state: Properties, news: Properties, *, preview: bool = False) -> Properties:
    olds: Properties = {name: state[name] for name in ("rotation", "overlap")}
    request = UpdateRequest(
        urn=URN,
        log=cast(ResourceLog, LOG),
        preview=preview,
        cancelled=asyncio.Event(),
        old_inputs=olds,
        state=state,
        new_inputs=news,
    )
    return asyncio.run(ApiKeyResource().update(request)).state


def digest(state: Properties) -> str:
    return sha256(str(reveal(state["key"])).encode()).hexdigest()


def test_a_key_has_256_random_bits_and_a_prefix_and_is_secret_and_its_digest_is_not() -> None:
    first, second = create(checked()), create(checked())

    assert isinstance(first["key"], Secret)
    assert re.fullmatch(r"sealift_[A-Za-z0-9_-]{43}", str(reveal(first["key"])))
    assert first["digests"] == [digest(first)]
    assert reveal(first["key"]) != reveal(second["key"])


def test_a_preview_makes_none() -> None:
    state = create(checked(), preview=True)
    rotated = update(create(checked()), checked(rotation="2027"), preview=True)

    assert (state["key"], state["digests"]) == (rotated["key"], rotated["digests"]) == (UNKNOWN, UNKNOWN)


def test_a_rotation_makes_a_new_key_and_of_those_before_it_the_last_stays_good() -> None:
    first = create(checked())
    second = update(first, checked(rotation="2027"))
    third = update(second, checked(rotation="2028"))

    assert second["digests"] == [digest(second), digest(first)]
    assert third["digests"] == [digest(third), digest(second)]
    assert len({digest(state) for state in (first, second, third)}) == 3
    assert str(reveal(first["key"])) not in repr(second), "a key that was replaced is kept nowhere"


@pytest.mark.parametrize("preview", [False, True])
def test_the_overlap_ends_without_a_new_key_and_never_comes_back(preview: bool) -> None:
    second = update(create(checked()), checked(rotation="2027"))

    ended = update(second, checked(rotation="2027", overlap=False), preview=preview)
    again = update(ended, checked(rotation="2027", overlap=True), preview=preview)

    assert reveal(ended["key"]) == reveal(again["key"]) == reveal(second["key"])
    assert isinstance(again["key"], Secret)
    assert ended["digests"] == again["digests"] == [digest(second)]


@pytest.mark.parametrize("preview", [False, True])
def test_a_key_that_ends_is_warned_of_once(preview: bool) -> None:
    first = create(checked())
    second = update(first, checked(rotation="2027"))
    LOG.said.clear()

    ended = update(second, checked(rotation="2027", overlap=False), preview=preview)
    assert LOG.said == ["warning: the previous key stops working: requests with it will get status 401"]
    update(ended, checked(rotation="2027", overlap=False), preview=preview)
    assert len(LOG.said) == 1

    update(first, checked(rotation="2027", overlap=False), preview=preview)
    assert len(LOG.said) == 2


def test_a_rotation_without_an_overlap_ends_the_old_key_at_once() -> None:
    second = update(create(checked()), checked(rotation="2027", overlap=False))

    assert second["digests"] == [digest(second)]


def test_nothing_replaces_the_resource_and_no_change_is_none() -> None:
    resource, olds = ApiKeyResource(), checked()

    changed = resource.diff(DiffRequest(olds, checked(rotation="2027", overlap=False)))

    assert set(changed.detailed_diff) == {"rotation", "overlap"} and changed.replaces == []
    assert resource.diff(DiffRequest(olds, checked())).detailed_diff == {}


def test_what_an_input_must_be_is_told() -> None:
    failures = asyncio.run(ApiKeyResource().check(CheckRequest(URN, {}, {"overlap": "yes", "name": "x"}))).failures

    assert {failure.property for failure in failures} == {"overlap", "name"}


def test_it_cannot_be_imported_and_says_why() -> None:
    request = ReadRequest(
        urn=URN, log=cast(ResourceLog, LOG), preview=False, cancelled=asyncio.Event(), id="some-id", inputs={}, state={}
    )
    with pytest.raises(PluginError, match="cannot be imported"):
        asyncio.run(ApiKeyResource().read(request))
