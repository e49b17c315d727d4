"""Errors of a run that are shown to the user.

TrainingError
├── RequestError         the request on standard input is invalid
├── MissingLibraryError  a library or data file that the run needs is not installed
├── CheckpointError      a record of the store has a form that this code does not write
├── DataError            the data set cannot be read, or fails its quality checks
├── ModelError           the model cannot be built, or does not fit the data or the loss
├── InputError           a file, URL or module that an input names cannot be read
├── GateError            the model fails its gates
├── NonFiniteLossError   the loss became NaN or infinite
└── ExportError          the exported model's answers differ from torch's
"""

from collections.abc import Mapping
from types import MappingProxyType

from sealift.settings.urls import without_credentials


class TrainingError(Exception):
    """An error that the user can act on. `message` says what is wrong, `hint` the way out (may be empty). URLs in them
    show no secret.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        message, hint = without_credentials(message), without_credentials(hint)
        super().__init__(f"{message}\nhint: {hint}" if hint else message)
        self.message = message
        self.hint = hint


class RunRequestError(TrainingError):
    """The request does not have the form that `python -m training` documents."""


class MissingLibraryError(TrainingError):
    """A library or a data file that the run needs is not installed."""


class CheckpointError(TrainingError):
    """A record of the store opens with its key, but has a form that this code does not write."""


class DataError(TrainingError):
    """The data set cannot be read, or its quality checks found something that the run does not allow."""


class ModelError(TrainingError):
    """The model cannot be imported or constructed, or its output does not fit the data or the loss."""


class InputError(TrainingError):
    """A file, URL or module that an input names cannot be read, so the run has no identity yet."""

    def __init__(self, path: str, value: str, cause: TrainingError) -> None:
        super().__init__(cause.message, cause.hint)
        self.property, self.value = path, without_credentials(value)


class GateError(TrainingError):
    """A gate failed: the model is not sealed, and the deployed model stays. `report` names the run's report once it is
    sealed: artifact_id and payload_digest. If the model is already sealed, `of` is its artifact's id.
    """

    report: Mapping[str, str] = MappingProxyType({})


class NonFiniteLossError(TrainingError):
    """The loss became NaN or infinite: there is no model to export."""


class ExportError(TrainingError):
    """The exported model's answers for held-out rows differ from torch's."""


def blame_system(error: OSError) -> TrainingError:
    """Returns the error for a failure of the operating system, such as a full disk: what it reported, and where."""
    where = f" ({error.filename})" if error.filename else ""
    return TrainingError(
        f"the operating system reported an error: {error.strerror or error}{where}",
        "solve that and run `pulumi up` again; it continues from the last checkpoint",
    )
