"""What of a run is done, and who is told of it: the two contracts between training and whoever started it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from training.job import Job
from training.recipe.trainer_state import TrainerState


@dataclass(frozen=True)
class Progress:
    """What of a run is done: the state of its search, the folds' metrics, and the loop's state and tensors."""

    study: str | None = None
    folds: tuple[Mapping[str, float], ...] = ()
    state: TrainerState | None = None
    tensors: bytes = field(default=b"", repr=False)
    """safetensors."""


class TrainerCallback(Protocol):
    """Whoever started the run. Both may raise to stop it."""

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
        """After a stretch of steps; `progress()` is what there is to keep (it is asked for, since tensors cost time to
        gather), `rows` are those of an epoch, and the last one ends the loop.
        """
