"""A URL may hold a password or a signature: then it is a secret of the state, and no message shows that part."""

import asyncio
import io
from collections.abc import Sequence
from pathlib import Path

import pytest

from components.plugin.training_run import TrainingRunResource
from sealift.provider import CheckFailure, CheckRequest, CheckResponse, Properties, Secret, Value
from training import sources
from training.errors import DataError
from training.options import Data

URN = "urn:pulumi:dev::p::t::run"
HIDDEN_URL = "https://me:hush@host.invalid/churn.csv?sig=hush"


def about(failures: Sequence[CheckFailure], name: str) -> list[CheckFailure]:
    return [one for one in failures if one.property == name]


def checked(monkeypatch: pytest.MonkeyPatch, **inputs: Value) -> CheckResponse:
    """With a stand-in for the network."""
    monkeypatch.setattr(sources, "digest", lambda *_: "0" * 64)
    given: Properties = {"data": {"target": "churned"}, **inputs}
    return asyncio.run(TrainingRunResource().check(CheckRequest(URN, {}, given)))


@pytest.mark.parametrize("given", [HIDDEN_URL, Secret(HIDDEN_URL), Secret("https://host.invalid/churn.csv")])
def test_it_is_a_secret_whether_it_was_given_as_one_or_not(monkeypatch: pytest.MonkeyPatch, given: Value) -> None:
    response = checked(monkeypatch, dataset=given)

    assert not about(response.failures, "dataset")
    assert isinstance(response.inputs["dataset"], Secret)


def test_a_url_without_anything_of_that_kind_stays_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checked(monkeypatch, dataset="https://host.invalid/churn.csv").inputs["dataset"] == (
        "https://host.invalid/churn.csv"
    )


def test_the_path_of_weights_too(monkeypatch: pytest.MonkeyPatch) -> None:
    response = checked(monkeypatch, dataset="iris", initFrom={"path": HIDDEN_URL})

    assert isinstance(response.inputs["initFrom"], Secret)


def test_a_secret_that_is_no_url_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    failures = checked(monkeypatch, dataset=Secret("hush.csv")).failures

    assert about(failures, "dataset")
    assert "hush" not in repr(failures)


def test_no_failure_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    failures = checked(monkeypatch, dataset=HIDDEN_URL.replace(".csv", ".odd")).failures

    assert about(failures, "dataset")
    assert "hush" not in repr(failures)


def test_neither_does_what_the_network_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    fsspec = pytest.importorskip("fsspec")

    def refuse(url: str, _: str) -> None:
        raise FileNotFoundError(url)

    monkeypatch.setattr(fsspec, "open", refuse)

    with pytest.raises(DataError) as raised:
        sources.open_url(HIDDEN_URL)

    assert "host.invalid/churn.csv" in raised.value.message
    assert "hush" not in f"{raised.value} {raised.value.message} {raised.value.hint}"


@pytest.mark.parametrize(
    "url", ["http://me:my hush@host.invalid/a.csv", "https://host.invalid/a.csv?sig=a hush", "https://h/a\thush.csv"]
)
def test_a_url_that_cannot_be_hidden_is_refused_with_nothing_of_it(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    given: list[tuple[str, dict[str, Value]]] = [
        ("dataset", {"dataset": url}),
        ("model", {"dataset": "iris", "source": "onnx", "model": url}),
        ("initFrom.path", {"dataset": "iris", "initFrom": {"path": url}}),
    ]
    for name, inputs in given:
        failures = checked(monkeypatch, **inputs).failures

        told = about(failures, name)
        assert told, failures
        assert "%20" in told[0].reason
        assert "hush" not in repr(failures)


@pytest.mark.parametrize("raised", [OSError, ValueError])
def test_neither_does_what_a_library_says_of_pieces_of_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, raised: type[Exception]
) -> None:
    fsspec = pytest.importorskip("fsspec")

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise raised("url: /churn.csv?sig=hush-hush, user me:hush-me")

        def readinto(self, buffer: object) -> int:
            raise raised("url: /churn.csv?sig=hush-hush, user me:hush-me")

    class Opened:
        def open(self) -> Broken:
            return Broken()

    monkeypatch.setattr(fsspec, "open", lambda *_: Opened())
    url = "https://me:hush-me@host.invalid/churn.csv?sig=hush-hush"

    for read in (lambda: sources.digest(url, tmp_path, Data()), lambda: sources.read(url, tmp_path, 9)):
        with pytest.raises(DataError) as told:
            read()

        assert "/churn.csv?" in told.value.message
        assert "hush" not in str(told.value)
