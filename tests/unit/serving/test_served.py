"""What all transports share is counted in one place, and no transport is needed for it."""

import asyncio
import subprocess
import sys

import numpy as np

from sealift.serving.access import UncheckedAccess
from sealift.serving.model import Model
from sealift.serving.served import Served
from tests.unit.serving import described
from tests.unit.serving.tiny import DESCRIPTION, onnx_model

ROW = {"input": np.array([[1, 2, 3]], np.float32)}


def test_a_run_of_any_transport_is_in_the_same_counts_and_statistics() -> None:
    served = Served("tiny", Model(onnx_model(), DESCRIPTION), UncheckedAccess())

    answer = asyncio.run(served.batches.run(ROW))
    served.count_run(rows=5, ns=7)
    served.count_run(rows=0, ns=7)
    served.count_run(rows=0, ns=0)  # nothing was run

    assert answer["prediction"].tolist() == [[321]]
    statistics = served.model.statistics
    assert (served.counts.rows, statistics.rows, statistics.runs) == (6, 6, 2)
    assert (statistics.fail.count, statistics.fail.ns) == (1, 7)


def test_columns_of_categories_are_counted_from_the_start() -> None:
    served = Served("houses", Model(described.houses(), described.HOUSES), UncheckedAccess())

    assert served.counts.unknown_categories == {"side": 0}


def test_each_transport_is_loaded_without_the_other() -> None:
    program = (
        "import sys; import sealift.serving.{0}.transport, sealift.serving.server;"
        " sys.exit(any(name.startswith('sealift.serving.{1}') for name in sys.modules))"
    )

    for one, other in (("http", "grpc"), ("grpc", "http")):
        assert subprocess.run([sys.executable, "-c", program.format(one, other)], check=False).returncode == 0
