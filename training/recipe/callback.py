"""Progress of a run, and the callback that receives it: the two contracts between training and its caller."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from training.job import Job
from training.recipe.trainer_state import TrainerState


@dataclass(frozen=True)
class Progress:
    """Finished parts of a run: the state of its search, the folds' metrics, and the loop's state and tensors."""

    study: str | None = None
    folds: tuple[Mapping[str, float], ...] = ()
    state: TrainerState | None = None
    tensors: bytes = field(default=b"", repr=False)
    """Tensors of the loop's state, as safetensors."""


class TrainerCallback(Protocol):
    """Callback of a run's caller. Both methods may raise to stop the run."""

    def phase(self, name: str, message: str) -> None: ...

    def after(
        self,
        job: Job,
        progress: Callable[[], Progress],
        state: TrainerState,
        *,
        rows: int,
        epoch_ended: bool,
        last: bool,
    ) -> None:
        """Called after a stretch of steps. `progress()` returns what a checkpoint keeps; it is a function since
        collecting tensors takes time. `rows` is the number of rows per epoch. `last` means that the loop ends.
        """
