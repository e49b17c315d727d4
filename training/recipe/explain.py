"""Errors inside a user's network or function, explained: what it did, where, and the way out."""

import contextlib
from collections.abc import Iterator
from typing import Final

from sealift.names import counted
from training import user_code
from training.errors import ModelError, TrainingError
from training.job import Job

NOT_REPEATABLE: Final = " does not have a deterministic implementation"
UNUSED: Final = "appears to not have been used in the graph"
ONE_ROW: Final = "Expected more than 1 value per channel when training"


@contextlib.contextmanager
def blame_model(job: Job, what: str, way_out: str) -> Iterator[None]:
    """Raises an error inside the block as ModelError. The system's errors in our own code stay as they are."""
    try:
        yield
    except TrainingError:
        raise
    except user_code.RAISED as error:
        if isinstance(error, OSError) and not user_code.is_blamed(error):
            raise
        raise _make_error(job, what, way_out, error) from error


def _make_error(job: Job, what: str, way_out: str, error: BaseException) -> ModelError:
    text = str(error)
    if isinstance(error, RuntimeError) and NOT_REPEATABLE in text:
        return ModelError(
            f"{text.split(NOT_REPEATABLE)[0]} of {job.model} is not repeatable bit for bit",
            "use another operation, or set deterministic to false if the model need not be repeatable",
        )
    if isinstance(error, RuntimeError) and UNUSED in text:
        return ModelError(
            f"{what} has parameters that its answer does not depend on",
            "leave them out of the model, or name them in freeze",
        )
    if isinstance(error, ValueError) and ONE_ROW in text:
        return ModelError(
            f"{what} normalises over the rows of a batch, but a batch has a single row",
            f"change batchSize, {job.batch_size}: the last batch of an epoch has the remaining rows",
        )
    if isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text:
        return ModelError(
            f"memory ran out in a step over {counted(job.batch_size, 'row')}",
            "lower batchSize (accumulateSteps keeps the step the same), or use a smaller model",
        )
    return ModelError(f"{what} {user_code.say(error)}", way_out)
