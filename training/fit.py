"""DATASET → MODEL: makes the model, and says what it is.

Importing it loads torch. It changes no byte of the model: what does is in `training.recipe`.
"""

from dataclasses import dataclass
from typing import Any

from sealift.contents.description import Description
from training.description import example, make_description
from training.job import Job
from training.recipe.make import Inputs, Made, Progress, Watch, every_row, make


@dataclass(frozen=True)
class Fitted:
    """A finished model, what is sealed beside it, and what the caller wants to know."""

    made: Made
    description: Description
    outcome: dict[str, Any]

    @property
    def model(self) -> bytes:
        """The ONNX file."""
        return self.made.content


def fit(job: Job, inputs: Inputs, progress: Progress, watch: Watch) -> Fitted:
    """Raises what `make` raises."""
    made = make(job, inputs, progress, watch)
    features, _ = every_row(made.held_out)
    outcome = {
        "metrics": dict(made.metrics),
        "epochs_run": made.descended.position.epoch,
        "stop_reason": made.descended.stop_reason,
        "example": example(made, features),
        "model_bytes": len(made.content),
        "rows": len(made.dataset.rows) + made.dataset.rows_left_out,
        **made.descended.spent,
    }
    return Fitted(made, make_description(made, inputs.provenance, outcome), outcome)
