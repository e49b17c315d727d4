"""A run that nobody looks at."""

from collections.abc import Callable

from training.job import Job
from training.recipe.callback import Progress
from training.recipe.trainer_state import TrainerState


class Unwatched:
    """A callback that neither tells nor stops anything."""

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
    ) -> None: ...
