"""The page of the server's metrics, from the code that makes them (sealift/serving/metrics)."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final
from unittest.mock import patch

from sealift.serving import image_layout
from sealift.serving.metrics import cgroup
from sealift.serving.metrics.counts import Counts
from sealift.serving.metrics.exposition import Family
from sealift.serving.metrics.families import families

HEAD: Final = f"""\
# Metrics

`make docs` generates this page from the server's code. Each server answers scrapes of Prometheus at
`{image_layout.METRICS_PATH}` on port {image_layout.METRICS_PORT}.
[Observability](../how-to/observability.md) has a dashboard, alerts and a key for Prometheus.

No label contains a value that a client chose: a path that is not served counts as `other`. Neither metrics nor log
contain the data that clients send.
"""
PARTS: Final = (
    ("Requests and model", ("sealift_",)),
    ("Container", ("sealift_cgroup_",)),
    ("Process", ("process_", "sealift_energy_")),
)
"""Titles, and the prefixes of the names below them. The longest prefix counts."""
REMARKS: Final = {
    "sealift_requests_total": "gRPC calls count under their path and the equivalent HTTP status. 503 on an `infer` "
    "route means overload.",
    "sealift_input_mean": "Present after at least 200 rows.",
    "sealift_input_psi": "Present after at least 200 rows.",
    "sealift_unknown_categories_total": "With differential privacy, training does not describe its rows, so nothing is "
    "counted.",
    "sealift_spans_total": "Present only if requests are [traced](../how-to/observability.md#traces).",
}
"""Sentences that follow the meaning, by the metric's name."""


def page() -> str:
    """Returns the page."""
    found = {one.name: one for one in all_families()}
    return "".join([HEAD, *(line for title, prefixes in PARTS for line in _part(title, prefixes, found.values()))])


def all_families() -> list[Family]:
    """Returns every metric that a server can have, each with at least one sample."""
    counts = Counts()
    counts.expect(["/"])
    counts.saw_unknown({"f": 1})
    counts.watch_failures["access"] = 1
    info = dict.fromkeys(("model", "artifact_id", "payload_digest", "version"), "")
    with patch.object(cgroup, "usage", _limited):
        return families(
            counts,
            info,
            ready=True,
            queued_rows=0,
            connections=0,
            held_bytes=0,
            input_rows=0,
            inputs=[("f", 0.0, 0.0)],
            spans={"sent": 0},
        )


def _limited(root: Path) -> cgroup.Usage:
    """Usage of a container with limits, wherever the page is generated."""
    del root
    return cgroup.Usage(1.0, 1.0, 1.0, 1, 1)


def _part(title: str, prefixes: tuple[str, ...], found: Iterable[Family]) -> Iterator[str]:
    yield f"\n## {title}\n\n| metric | meaning |\n|---|---|\n"
    for one in found:
        if _title(one.name) == title:
            labels = dict.fromkeys(name for _, given, _ in one.samples for name in given if name != "le")
            shown = f"Labels: {', '.join(f'`{name}`' for name in labels)}." if labels else ""
            yield f"| `{one.name}`<br>{one.kind} | {' '.join(filter(None, _sentences(one, shown)))} |\n"


def _sentences(one: Family, labels: str) -> tuple[str, ...]:
    buckets = [given["le"] for suffix, given, _ in one.samples if suffix == "_bucket"]
    return one.help, REMARKS.get(one.name, ""), labels, f"Buckets: {', '.join(buckets)}." if buckets else ""


def _title(name: str) -> str:
    fitting = [(len(prefix), title) for title, prefixes in PARTS for prefix in prefixes if name.startswith(prefix)]
    return max(fitting)[1]
