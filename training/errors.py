"""What can go wrong in a run and is told to the user, not raised at him.

TrainingError
├── RequestError         the request on standard input is not one
├── MissingLibraryError  a library or data file that the run needs is not installed
├── CheckpointError      a record of the store does not hold what this code writes
├── DataError            the data set cannot be read, or is not fit to learn from
├── ModelError           the model cannot be built, or does not fit the data or the loss
├── InputError           what an input of the run names cannot be read
├── GateError            the model is not what its gates ask for
├── NonFiniteLossError   the loss became NaN or infinite
└── ExportError          the exported model does not answer as torch does
"""

from collections.abc import Mapping
from types import MappingProxyType

from sealift.settings.urls import without_credentials


class TrainingError(Exception):
    """`message` says what is wrong, `hint` the way out (may be empty). Of URLs they show no secret."""

    def __init__(self, message: str, hint: str = "") -> None:
        message, hint = without_credentials(message), without_credentials(hint)
        super().__init__(f"{message}\nhint: {hint}" if hint else message)
        self.message = message
        self.hint = hint


class RunRequestError(TrainingError):
    """The request is not what `python -m training` documents."""


class MissingLibraryError(TrainingError):
    """A library or a data file that the run needs is not installed."""


class CheckpointError(TrainingError):
    """A record of the store opens with its key but is not one that this code writes."""


class DataError(TrainingError):
    """The data set cannot be read, or a check of its quality found what the run does not allow."""


class ModelError(TrainingError):
    """The model cannot be imported or constructed, or its answer fits neither the data nor the loss."""


class InputError(TrainingError):
    """What an input names cannot be read, so that the run has no identity yet."""

    def __init__(self, path: str, value: str, cause: TrainingError) -> None:
        super().__init__(cause.message, cause.hint)
        self.property, self.value = path, without_credentials(value)


class GateError(TrainingError):
    """A gate failed: the model is not sealed, and what is deployed stays. `report` names the run's report, once it is
    sealed: artifact_id and payload_digest; where the model is sealed already, also `of`, its artifact's id.
    """

    report: Mapping[str, str] = MappingProxyType({})


class NonFiniteLossError(TrainingError):
    """The loss became NaN or infinite: there is no model to export."""


class ExportError(TrainingError):
    """The exported model does not answer held-out rows as torch does."""


def blame_system(error: OSError) -> TrainingError:
    """A full disk, a missing right: what the system said, and where."""
    where = f" ({error.filename})" if error.filename else ""
    return TrainingError(
        f"the operating system reported an error: {error.strerror or error}{where}",
        "solve that and run `pulumi up` again; it continues from the last checkpoint",
    )
