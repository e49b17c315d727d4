"""Where spans go, and what is refused in the preview."""

import pytest

from sealift.serving import __main__ as server
from tests.unit.components.settings.test_access import problems_of
from tests.unit.components.test_pod_spec import container, deployment

URL = "http://collector.observability:4318"


def test_by_default_the_server_traces_nothing() -> None:
    told = server._parse([str(word) for word in container(deployment())["args"]])

    assert (told.otlp_endpoint, told.trace_ratio) == (None, 0)


@pytest.mark.parametrize(("tracing", "ratio"), [({}, 0), ({"ratio": 0.01}, 0.01), ({"ratio": 1e-7}, 1e-7)])
def test_the_server_is_told_where_spans_go(tracing: dict[str, float], ratio: float) -> None:
    made = deployment(tracing={"otlpEndpoint": URL} | tracing)
    told = server._parse([str(word) for word in container(made)["args"]])

    assert (told.otlp_endpoint, told.trace_ratio) == (URL, ratio)


@pytest.mark.parametrize(
    ("tracing", "said"),
    [
        ({}, "tracing.otlpEndpoint is missing"),
        ({"otlpEndpoint": "collector:4318"}, "begins with http:// or https://"),
        ({"otlpEndpoint": "http://user:secret@collector"}, "without user, query or fragment"),
        ({"otlpEndpoint": f"{URL}?key=1"}, "without user, query or fragment"),
        ({"otlpEndpoint": URL, "ratio": 1.5}, "tracing.ratio is 1.5"),
    ],
)
def test_what_is_no_collector_or_no_ratio_is_refused(tracing: dict[str, object], said: str) -> None:
    assert [problem for problem in problems_of(tracing=tracing) if said in problem], problems_of(tracing=tracing)


def test_a_secret_in_a_collector_s_url_is_not_shown() -> None:
    for secret in ("http://user:hush@collector", f"{URL}?key=hush"):
        (said,) = map(str, problems_of(tracing={"otlpEndpoint": secret}))
        assert said.startswith("tracing.otlpEndpoint is not shown")
        assert "hush" not in said
