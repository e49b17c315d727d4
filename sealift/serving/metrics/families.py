"""All that the server tells Prometheus, by Prometheus' rules for names (https://prometheus.io/docs/practices/naming)."""

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
    """As of now. `info` says which model this is; `inputs` has features' names, means and stability indices;
    `spans` counts them by outcome, where requests are traced."""
    requests = [("", {"route": route, "code": str(code)}, count) for (route, code), count in counts.requests.items()]
    answered = "From an inference's first byte until its answer is written; those that succeeded."
    queued = "What an inference waited between being read and the model's run."
    together = "Rows that the model was given in one run, of one request or of several that came at once."
    held = "Memory of large bodies and answers that are counted against the server's limit."
    shifted = "Population stability index of a feature: the last hour's requests against the training rows."
    recorded = "Spans that a collector took, and that were dropped since it took none."
    failed = "Exceptions in what the server looks after by itself: connections, access, certificate, drift."
    failures = [("", {"part": part}, count) for part, count in counts.watch_failures.items()]
    unseen = "Values of a column that are none of the categories that training saw; missing ones are not counted."
    unknown = [("", {"feature": name}, count) for name, count in counts.unknown_categories.items()]
    outcomes = [("", {"outcome": outcome}, count) for outcome, count in spans.items()]
    means = [("", {"feature": name}, mean) for name, mean, _ in inputs]
    indices = [("", {"feature": name}, index) for name, _, index in inputs]
    return [
        Family("sealift_requests_total", "counter", "Requests that were answered, by route and status.", requests),
        distribution("sealift_request_duration_seconds", answered, counts.request_seconds),
        distribution("sealift_queue_seconds", queued, counts.queue_seconds),
        one("sealift_queue_rows", "gauge", "Rows that wait for the model.", queued_rows),
        distribution("sealift_batch_rows", together, counts.run_rows),
        one("sealift_rows_total", "counter", "Rows that the model was given.", counts.rows),
        Family("sealift_model_info", "gauge", "Which model is served, always 1.", [("", info, 1)]),
        one("sealift_ready", "gauge", "1, or 0 once the server has been told to stop.", int(ready)),
        one("sealift_connections", "gauge", "Clients that are connected.", connections),
        one("sealift_held_bytes", "gauge", held, held_bytes),
        one("sealift_input_rows", "gauge", "Rows of the last hour's requests that were compared.", input_rows),
        Family("sealift_watch_failures_total", "counter", failed, failures),
        Family("sealift_input_mean", "gauge", "Mean of a feature in the last hour's requests.", means),
        Family("sealift_input_psi", "gauge", shifted, indices),
        Family("sealift_unknown_categories_total", "counter", unseen, unknown),
        Family("sealift_spans_total", "counter", recorded, outcomes),
        *process.families(),
        *cgroup.families(),
    ]
