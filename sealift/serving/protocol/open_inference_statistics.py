"""The response of the statistics extension, as an object. HTTP sends it as JSON, gRPC as a message.

https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_statistics.md
"""

from typing import Any

from sealift.serving.statistics import ComputeStatistics, Durations, Statistics

_NONE = Durations()


def statistics(name: str, version: str, of: Statistics) -> dict[str, Any]:
    """Statistics of the served model. There is no cache, so cache hits are zero."""
    inference = {
        "success": _write_durations(of.success),
        "fail": _write_durations(of.fail),
        "queue": _write_durations(of.queue),
        **_parts(of.compute),
        "cache_hit": _write_durations(_NONE),
    }
    model = {
        "name": name,
        "version": version,
        "last_inference": of.last_ms,
        "inference_count": of.rows,
        "execution_count": of.runs,
        "inference_stats": inference,
        # Copied in one step, because another thread may add a size meanwhile.
        "batch_stats": [{"batch_size": size, **_parts(compute)} for size, compute in sorted(of.by_size.copy().items())],
    }
    return {"model_stats": [model]}


def _parts(compute: ComputeStatistics) -> dict[str, dict[str, int]]:
    return {
        "compute_input": _write_durations(compute.input),
        "compute_infer": _write_durations(compute.infer),
        "compute_output": _write_durations(compute.output),
    }


def _write_durations(durations: Durations) -> dict[str, int]:
    return {"count": durations.count, "ns": durations.ns}
