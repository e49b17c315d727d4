"""Families of samples → Prometheus' text format 0.0.4.

https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, Literal

from sealift.serving.metrics.histogram import Histogram

CONTENT_TYPE: Final = b"text/plain; version=0.0.4; charset=utf-8"

Labels = Mapping[str, str]
Sample = tuple[str, Labels, float]
"""Suffix of the family's name, labels, value."""


@dataclass(frozen=True)
class Family:
    """All samples of one metric name. `help` is one line."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    samples: Sequence[Sample]


def one(name: str, kind: Literal["counter", "gauge"], help: str, value: float) -> Family:  # noqa: A002 - its own word
    """Makes a family with a single sample without labels."""
    return Family(name, kind, help, [("", {}, value)])


def distribution(name: str, help: str, histogram: Histogram) -> Family:  # noqa: A002 - as above
    """Makes the family of a histogram."""
    counts = list(accumulate(histogram.counts))
    bounds = [*map(_number, histogram.bounds), "+Inf"]
    buckets: list[Sample] = [("_bucket", {"le": bound}, count) for bound, count in zip(bounds, counts, strict=True)]
    return Family(name, "histogram", help, [*buckets, ("_sum", {}, histogram.sum), ("_count", {}, counts[-1])])


def text(families: Iterable[Family]) -> bytes:
    """The response to a scrape."""
    return "".join(line for family in families for line in _lines(family)).encode()


def _lines(family: Family) -> Iterator[str]:
    help_text = family.help.replace("\\", "\\\\").replace("\n", "\\n")
    yield f"# HELP {family.name} {help_text}\n# TYPE {family.name} {family.kind}\n"
    for suffix, labels, value in family.samples:
        said = ",".join(f'{name}="{_escape(text)}"' for name, text in labels.items())
        yield (
            f"{family.name}{suffix}{{{said}}} {_number(value)}\n"
            if said
            else f"{family.name}{suffix} {_number(value)}\n"
        )


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    if value == float("inf"):
        return "+Inf"
    return str(int(value)) if value == int(value) and abs(value) < 1 << 53 else repr(float(value))
