"""The one key of a server that is tried on one's own machine."""

import re

import pytest

from sealift.serving.access import OneKey, Scope, new_key
from sealift.serving.errors import Unauthenticated

NOW = 0.0


@pytest.mark.parametrize("scope", ["predict", "metadata", "metrics"])
def test_who_has_the_key_may_ask_for_everything(scope: Scope) -> None:
    key = new_key()

    assert OneKey(key).admit(key.encode(), scope, NOW) == "key"


@pytest.mark.parametrize("change", [lambda key: None, lambda key: b"", lambda key: key[:-1], lambda key: key + b"x"])
def test_another_key_or_none_is_refused_with_the_way_out(change: object) -> None:
    assert callable(change)
    key = new_key()

    with pytest.raises(Unauthenticated, match="the key that was shown when the server started; send it as X-API-Key"):
        OneKey(key).admit(change(key.encode()), "predict", NOW)


def test_only_the_digest_is_kept() -> None:
    key = new_key()
    access = OneKey(key)
    access.refresh(NOW)

    assert key not in str(vars(access)) and key.removeprefix("sealift_").encode() not in str(vars(access)).encode()


def test_keys_have_256_random_bits_in_the_form_of_all_our_keys() -> None:
    keys = {new_key() for _ in range(50)}

    assert len(keys) == 50
    assert all(re.fullmatch(r"sealift_[\w-]{43}", key) for key in keys)
