"""A Parquet file larger than memory, read by a process whose memory is measured."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet

PROJECT_ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import resource, sys
from pathlib import Path
import torch
from training.recipe.datasets.load import load
from training.job import Job
from training.options import Data
job = Job(dataset="big.parquet", data=Data(target="y", memory_bytes=64 * 2**20))
rows = load(job, Path(sys.argv[1]), bytes(32)).rows
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
count = sum(len(target) for _, target in rows.batches(256, torch.Generator()))
print(count, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_an_epoch_over_a_file_larger_than_its_memory_stays_within_it(tmp_path: Path) -> None:
    """240 MB of rows by 64 MB of memory. What an epoch adds to the process is measured, in MiB."""
    own, rows, columns = np.random.default_rng(0), 750_000, 40
    names = [f"x{at}" for at in range(columns - 1)]
    schema = pa.schema([(name, pa.float64()) for name in [*names, "y"]])
    with pa.parquet.ParquetWriter(tmp_path / "big.parquet", schema, compression="none", use_dictionary=False) as file:
        for _ in range(50):
            part = own.normal(size=(columns, rows // 50))
            file.write_table(pa.table(dict(zip([*names, "y"], part, strict=True)), schema=schema))
    assert (tmp_path / "big.parquet").stat().st_size > 220 * 2**20

    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )

    counted, added = map(int, ran.stdout.split())
    assert counted == rows
    assert added < 64
