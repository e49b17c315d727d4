"""What is counted, in the words of the statistics extension."""

from typing import Any

from sealift.serving.protocol.open_inference_statistics import statistics
from sealift.serving.statistics import MOST_SIZES, Statistics


def told(counted: Statistics) -> dict[str, Any]:
    (model,) = (statistics("m", "1", counted))["model_stats"]
    assert isinstance(model, dict)
    return model


def test_before_the_first_request_all_is_nothing() -> None:
    model = told(Statistics())

    assert [model[name] for name in ("last_inference", "inference_count", "execution_count", "batch_stats")] == [
        0,
        0,
        0,
        [],
    ]
    assert {tuple(one.values()) for one in model["inference_stats"].values()} == {(0, 0)}


def test_requests_that_run_together_each_take_as_long_as_the_run_and_count_once_in_its_batch() -> None:
    counted = Statistics()
    counted.ran(requests=3, rows=5, queue_ns=70, input_ns=1, infer_ns=10, output_ns=100, now_ms=1_000)
    counted.ran(requests=1, rows=1, queue_ns=2, input_ns=3, infer_ns=4, output_ns=5, now_ms=2_000)
    counted.ran(requests=1, rows=5, queue_ns=0, input_ns=1, infer_ns=1, output_ns=1, now_ms=3_000)
    counted.count_failure(requests=2, ns=9)

    assert told(counted) == {
        "name": "m",
        "version": "1",
        "last_inference": 3_000,
        "inference_count": 11,
        "execution_count": 3,
        "inference_stats": {
            "success": {"count": 5, "ns": 70 + 3 * 111 + 2 + 12 + 3},
            "fail": {"count": 2, "ns": 9},
            "queue": {"count": 5, "ns": 72},
            "compute_input": {"count": 5, "ns": 3 * 1 + 3 + 1},
            "compute_infer": {"count": 5, "ns": 3 * 10 + 4 + 1},
            "compute_output": {"count": 5, "ns": 3 * 100 + 5 + 1},
            "cache_hit": {"count": 0, "ns": 0},
        },
        "batch_stats": [
            {"batch_size": 1, "compute_input": {"count": 1, "ns": 3}, "compute_infer": {"count": 1, "ns": 4},
             "compute_output": {"count": 1, "ns": 5}},
            {"batch_size": 5, "compute_input": {"count": 2, "ns": 2}, "compute_infer": {"count": 2, "ns": 11},
             "compute_output": {"count": 2, "ns": 101}},
        ],
    }  # fmt: skip


def test_clients_who_send_batches_of_every_size_fill_no_memory_and_are_counted_in_the_sums() -> None:
    counted = Statistics()
    for rows in range(1, MOST_SIZES + 100):
        counted.ran(requests=1, rows=rows, queue_ns=0, input_ns=0, infer_ns=1, output_ns=0, now_ms=1)
    counted.ran(requests=1, rows=1, queue_ns=0, input_ns=0, infer_ns=1, output_ns=0, now_ms=1)

    model = told(counted)

    assert len(model["batch_stats"]) == MOST_SIZES
    assert (model["execution_count"], model["batch_stats"][0]["compute_infer"]["count"]) == (MOST_SIZES + 100, 2)
