"""Inputs that a model is made from, as they are on this machine. Loads neither torch nor the data's rows."""

from pathlib import Path

from training import job as training_job
from training.errors import MissingLibraryError
from training.job import Job


def find_provenance(job: Job, folder: Path) -> dict[str, str]:
    """Returns digests and versions by the names of a request's fields. Raises MissingLibraryError, InputError."""
    libraries = training_job.libraries(job)
    if libraries is None:
        needed = ", ".join(training_job.NEEDED_LIBRARIES)
        raise MissingLibraryError(f"training needs {needed}; not all of them are installed", "run `make setup`")
    return {
        "data_digest": training_job.data_digest(job, folder),
        "code_digest": training_job.code_digest(job, folder),
        "libraries": libraries,
        "processor": training_job.processor(job),
    }
