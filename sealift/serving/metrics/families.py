"""All metrics of the server, named by Prometheus' conventions (https://prometheus.io/docs/practices/naming)."""

from collections.abc import Mapping, Sequence

from sealift.serving.metrics import cgroup, process
from sealift.serving.metrics.counts import Counts
from sealift.serving.metrics.exposition import Family, distribution, one


def families(
    counts: Counts,
    info: Mapping[str, str],
    *,
    ready: bool,
    queued_rows: int,
    connections: int,
    held_bytes: int,
    input_rows: int,
    inputs: Sequence[tuple[str, float, float]],
    spans: Mapping[str, int],
) -> list[Family]:
    """Current metrics. `info` identifies the model. `inputs` has names, means and stability indices of the features.
    `spans` counts trace spans by outcome; it is empty if requests are not traced."""
    requests = [("", {"route": route, "code": str(code)}, count) for (route, code), count in counts.requests.items()]
    answered = "Time in seconds from a successful inference's first byte until its response is written."
    queued = "Time in seconds that an inference waits in the queue, after it is read and before the model runs."
    together = "Rows in one run of the model. Requests that arrive together share a run."
    held = "Memory in bytes that large request bodies and responses use, out of the server's limit."
    shifted = "Population stability index (PSI) of a feature: the last hour's requests compared with the training rows."
    recorded = "Trace spans by outcome: sent to the collector, or dropped because it did not accept them."
    failed = "Exceptions in the server's background tasks: connections, access, certificate, drift."
    failures = [("", {"part": part}, count) for part, count in counts.watch_failures.items()]
    unseen = "Values of a categorical column that training did not see. Missing values are not counted."
    unknown = [("", {"feature": name}, count) for name, count in counts.unknown_categories.items()]
    outcomes = [("", {"outcome": outcome}, count) for outcome, count in spans.items()]
    means = [("", {"feature": name}, mean) for name, mean, _ in inputs]
    indices = [("", {"feature": name}, index) for name, _, index in inputs]
    return [
        Family("sealift_requests_total", "counter", "Requests answered, by route and HTTP status code.", requests),
        distribution("sealift_request_duration_seconds", answered, counts.request_seconds),
        distribution("sealift_queue_seconds", queued, counts.queue_seconds),
        one("sealift_queue_rows", "gauge", "Rows that wait for the model now.", queued_rows),
        distribution("sealift_batch_rows", together, counts.run_rows),
        one("sealift_rows_total", "counter", "Rows that the model has processed since the start.", counts.rows),
        Family(
            "sealift_model_info",
            "gauge",
            "Name and digests of the served model. Always 1.",
            [("", info, 1)],
        ),
        one(
            "sealift_ready",
            "gauge",
            "Readiness of the server: 1, or 0 while it stops.",
            int(ready),
        ),
        one("sealift_connections", "gauge", "Client connections that are open now.", connections),
        one("sealift_held_bytes", "gauge", held, held_bytes),
        one(
            "sealift_input_rows",
            "gauge",
            "Rows of the last hour compared with the training rows.",
            input_rows,
        ),
        Family("sealift_watch_failures_total", "counter", failed, failures),
        Family("sealift_input_mean", "gauge", "Mean value of a feature in the last hour's requests.", means),
        Family("sealift_input_psi", "gauge", shifted, indices),
        Family("sealift_unknown_categories_total", "counter", unseen, unknown),
        Family("sealift_spans_total", "counter", recorded, outcomes),
        *process.families(),
        *cgroup.families(),
    ]
