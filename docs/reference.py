"""Writes docs/training.md from the declarations of the settings: `make docs`.

A test compares the page with what this gives, so that neither can go out of date.
"""

from pathlib import Path
from typing import Final

from settings.table import tables
from training.job import Job

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "training.md"
HEAD: Final = """\
# TrainingRun: every input

Generated from `training/job.py` and `training/options.py` by `make docs`. In a Python program the names of
TrainingRun's own arguments are in snake_case; inside objects, and in a stack's config, all are in camelCase as here.
In a stack's config, dataset, model, learningRate, epochs, batchSize, seed and stopLoss are keys; all others go into
`training`:

    config:
      sealift:dataset: data/churn.csv
      sealift:training: {data: {target: churned}, momentum: 0.9, earlyStopping: {patience: 5}}

"""


def page() -> str:
    """The whole page."""
    return HEAD + tables(Job)


if __name__ == "__main__":
    PAGE.write_text(page())
