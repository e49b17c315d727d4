"""DATASET → MODEL: makes the model and describes it.

Importing it loads torch. It changes no byte of the model; only `training.recipe` does.
"""

from dataclasses import dataclass
from typing import Any

from sealift.contents.description import Description
from training.description import make_description, make_example
from training.job import Job
from training.recipe.callback import Progress, TrainerCallback
from training.recipe.finish import TrainedModel, read_every_row
from training.recipe.make import Inputs, make


@dataclass(frozen=True)
class FitResult:
    """A finished model, the description that is sealed beside it, and the fields of the result."""

    trained: TrainedModel
    description: Description
    outcome: dict[str, Any]

    @property
    def model(self) -> bytes:
        """The model as an ONNX file."""
        return self.trained.content


def fit(job: Job, inputs: Inputs, progress: Progress, callback: TrainerCallback) -> FitResult:
    """Makes and describes the model. Raises the errors of `make`."""
    trained = make(job, inputs, progress, callback)
    features, _ = read_every_row(trained.held_out)
    outcome = {
        "metrics": dict(trained.metrics),
        "epochs_run": trained.epochs,
        "stop_reason": trained.stop_reason,
        "example": make_example(trained, features),
        "model_bytes": len(trained.content),
        "rows": len(trained.dataset.rows) + trained.dataset.rows_left_out,
        **(trained.loop.spent if trained.loop else {}),
    }
    return FitResult(trained, make_description(trained, inputs.provenance, outcome), outcome)
