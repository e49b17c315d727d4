"""The text, held against prometheus_client's parser; with Prometheus' own rules, see tests/process/test_metrics.py."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from sealift.serving.metrics.exposition import Family, distribution, one, text
from sealift.serving.metrics.histogram import Histogram

LABELS = st.dictionaries(st.from_regex("[a-zA-Z][a-zA-Z0-9_]*", fullmatch=True), st.text(), max_size=3)


@given(labels=LABELS, value=st.floats(allow_nan=False, allow_infinity=True) | st.integers(0, 1 << 60), about=st.text())
def test_what_is_written_is_what_is_read(labels: dict[str, str], value: float, about: str) -> None:
    if value == -math.inf or labels.keys() & {"le", "quantile"}:
        return
    about = " ".join(about.split()) or "about"

    (read,) = text_string_to_metric_families(text([Family("a_total", "gauge", about, [("", labels, value)])]).decode())

    assert (read.name, read.type, [(one.labels, one.value) for one in read.samples]) == (
        "a_total", "gauge", [(labels, float(value))],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("value", "said"), [(3, b"3"), (3.0, b"3"), (0.25, b"0.25"), (1e-7, b"1e-07"), (math.inf, b"+Inf")]
)
def test_numbers(value: float, said: bytes) -> None:
    assert text([one("a", "gauge", "About a.", value)]) == b"# HELP a About a.\n# TYPE a gauge\na " + said + b"\n"


def test_a_bound_belongs_to_what_is_at_most_it_and_buckets_add_up() -> None:
    histogram = Histogram([0.1, 1.0])
    for value in (0.05, 0.1, 0.10001, 1.0, 7.0):
        histogram.observe(value)

    assert text([distribution("a_seconds", "About a.", histogram)]).decode().splitlines()[2:] == [
        'a_seconds_bucket{le="0.1"} 2',
        'a_seconds_bucket{le="1"} 4',
        'a_seconds_bucket{le="+Inf"} 5',
        f"a_seconds_sum {histogram.sum!r}",
        "a_seconds_count 5",
    ]
