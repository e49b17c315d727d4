"""Statuses."""

import pytest

from sealift.serving import errors
from sealift.serving.errors import InvalidAnswer, InvalidInput, RequestError
from sealift.serving.http.errors import STATUSES, RefusedRequest, status_of


def test_every_kind_of_request_error_has_a_status() -> None:
    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, RequestError)}

    assert STATUSES.keys() == kinds - {RequestError}


@pytest.mark.parametrize(
    ("error", "status"), [(InvalidInput(""), 400), (InvalidAnswer(""), 422), (RefusedRequest(413, ""), 413)]
)
def test_a_status_says_whose_matter_it_is(error: RequestError, status: int) -> None:
    assert status_of(error) == status
