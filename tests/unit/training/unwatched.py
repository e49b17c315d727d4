"""A run that nobody looks at."""

from training.job import Job
from training.recipe.make import Stage
from training.recipe.sgd import Position


class Unwatched:
    """A watch that neither tells nor stops anything."""

    def phase(self, name: str, message: str) -> None: ...

    def after(
        self, job: Job, progress: Stage, position: Position, *, rows: int, epoch_ended: bool, last: bool
    ) -> None: ...
