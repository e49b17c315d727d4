"""The model as all transports share it: access, batching, metrics, log, and memory for requests.

It knows no transport. Each transport is built on it and needs no other transport.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from sealift.serving.access import Access
from sealift.serving.batch_limits import find_batch_limits
from sealift.serving.batches import Batches
from sealift.serving.categories import Categories
from sealift.serving.memory_budget import MAX_HELD_BYTES, SMALL_BYTES, MemoryBudget
from sealift.serving.metrics.counts import Counts
from sealift.serving.model import Model
from sealift.serving.request_log import RequestLog

if TYPE_CHECKING:
    from sealift.serving.tracing.tracer import Tracer


class Served:
    """One served model in one event loop. `name` is its name in the URLs."""

    def __init__(
        self, name: str, model: Model, access: Access, *, log_all: bool = False, tracer: "Tracer | None" = None
    ) -> None:
        """Without a tracer, no request is traced. With `log_all`, successful requests are logged, too."""
        self.name = name
        self.model = model
        self.access = access
        self.tracer = tracer
        self.draining = False
        """Whether the server is shutting down: it reports that it is not ready, so that clients use another one."""
        self.log = RequestLog(log_all)
        self.memory = MemoryBudget(MAX_HELD_BYTES, SMALL_BYTES)
        self.counts = Counts()
        self.counts.saw_unknown(dict.fromkeys(Categories(model.rows).columns, 0))
        self.worker = ThreadPoolExecutor(1, thread_name_prefix="inference")
        """The only thread for slow runs and for large requests."""
        self.batches = Batches(model, find_batch_limits(model), self.worker, self.counts)

    def count_run(self, rows: int, ns: int) -> None:
        """Counts a run that a transport made in the worker for one request. `rows` is 0 if it failed."""
        statistics = self.model.statistics
        if rows:
            self.counts.run_rows.observe(rows)
            now_ms = int(time.time() * 1000)
            statistics.ran(requests=1, rows=rows, queue_ns=0, input_ns=0, infer_ns=ns, output_ns=0, now_ms=now_ms)
        elif ns:
            statistics.count_failure(requests=1, ns=ns)
