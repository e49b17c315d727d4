"""Sources of data sets: their form, existence and digest, without reading their rows.

Standard library only. A URL needs a library, which is then loaded: the service's own for s3://, gs:// and az://, with
the same credentials as those of a store, and fsspec for others.
"""

import contextlib
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

from sealift.durable import file_set
from sealift.settings.kinds import is_reference
from sealift.settings.names import suggest
from sealift.settings.urls import is_url as is_url
from sealift.settings.urls import without_parts_of
from training import user_code
from training.errors import DataError, MissingLibraryError
from training.options import Data

BUILT_IN: Final = {
    "diabetes": ("diabetes_data_raw.csv.gz", "diabetes_target.csv.gz"),
    "digits": ("digits.csv.gz",),
    "iris": ("iris.csv",),
    "wine": ("wine_data.csv",),
    "breast_cancer": ("breast_cancer.csv",),
    "linnerud": ("linnerud_exercise.csv", "linnerud_physiological.csv"),
}
"""Built-in data sets, and the files of scikit-learn's `datasets/data` that contain them."""
TARGETS: Final = {"linnerud": ("Weight", "Waist", "Pulse")}
"""Target columns of the sets that have several. Without data.target, the first one is used."""
REGRESSIONS: Final = ("diabetes", "linnerud")
"""Built-in sets that are regressions, however few values a target has. The others are classifications."""
BUILT_IN_TARGET: Final = "target"
"""Name of the target column of the other built-in sets."""
BUILT_IN_FORM: Final = "built in"
FUNCTION: Final = "function"
CSV: Final = "CSV"
PARQUET: Final = "Parquet"
NPZ: Final = "NPZ"
FORMS: Final = {
    ".csv": CSV, ".csv.gz": CSV, ".tsv": CSV, ".tsv.gz": CSV, ".parquet": PARQUET, ".npz": NPZ,
}  # fmt: skip
"""Form of a file, by the end of its name."""
TABLES: Final = (CSV, PARQUET)
WAY_TO_PARQUET: Final = (
    "write it as Parquet, which is streamed (with pyarrow.csv.open_csv and pyarrow.parquet.ParquetWriter, or with "
    "DuckDB's COPY), or raise data.memoryBytes"
)

_digests: dict[tuple[str, int, int, int], str] = {}


def check(reference: str, folder: Path | None, roots: user_code.Roots = ()) -> str | None:
    """Returns what is wrong with a reference, to continue "is VALUE; ", or None if it can be read.

    Without a folder, it does not check whether the file, or the module in `roots`, exists.
    """
    if is_reference(reference) and not is_url(reference):
        return None if folder is None else user_code.check(reference, roots)
    if not has_known_form(reference):
        return _forms() + suggest(reference, BUILT_IN)
    if reference in BUILT_IN or is_url(reference) or folder is None:
        return None
    path = folder / Path(reference).expanduser()
    if path.is_file():
        return None
    return f"the file {path} does not exist{suggest(path.name, _beside(path))}"


def _beside(path: Path) -> list[str]:
    """Returns the names of the files in the path's folder that could be data sets."""
    with contextlib.suppress(OSError):
        return [one.name for one in path.parent.iterdir() if has_known_form(one.name)]
    return []


def too_large(reference: str, folder: Path, largest: int) -> str | None:
    """Returns what is wrong with a text file that exceeds the memory limit, in the form of `check`. Reads only its
    size.
    """
    if is_url(reference) or not reference.lower().endswith((".csv", ".tsv")):
        return None
    size = (folder / Path(reference).expanduser()).stat().st_size
    if size <= largest:
        return None
    return f"its size of {size:,} bytes exceeds data.memoryBytes, {largest:,}; {WAY_TO_PARQUET}"


def digest(reference: str, folder: Path, options: Data, roots: user_code.Roots = ()) -> str:
    """Returns 64 hex digits: SHA-256 of the content, or of a function's code and arguments. Raises DataError."""
    if reference in BUILT_IN:
        digests = {path.name: file_digest(path) for path in find_built_in_paths(reference)}
        return file_set.digest(digests) if len(digests) > 1 else next(iter(digests.values()))
    if is_url(reference):
        with open_url(reference) as stream, _refuse_unreadable(reference):
            return file_set.of_stream(stream)
    if is_reference(reference):
        arguments = json.dumps(options.arguments, sort_keys=True)
        code = user_code.digest(reference, roots)
        return file_set.digest({"arguments": file_set.of_bytes(arguments.encode()), "code": code})
    return file_digest(folder / Path(reference).expanduser())


def file_digest(path: Path) -> str:
    """Returns the SHA-256 of one file in hex. Hashes it again only if its size, times or inode changed. Raises
    DataError.
    """
    try:
        status = path.stat()
        key = (str(path), status.st_size, status.st_mtime_ns, status.st_ino)
        if key not in _digests:
            _digests[key] = file_set.of_file(path)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", "check the path and its permissions") from error
    return _digests[key]


def read(reference: str, folder: Path, largest: int) -> bytes:
    """Returns the content of a file or URL. Raises DataError, also if it exceeds `largest` bytes."""
    try:
        if is_url(reference):
            with open_url(reference) as stream, _refuse_unreadable(reference):
                content = stream.read(largest + 1)
        else:
            with (folder / Path(reference).expanduser()).open("rb") as stream:
                content = stream.read(largest + 1)
    except OSError as error:
        raise DataError(
            f"{reference} cannot be read: {error.strerror or error}", "check the path and its permissions"
        ) from error
    if len(content) > largest:
        raise DataError(f"{reference} exceeds the limit of {largest:,} bytes", "raise data.memoryBytes")
    return content


def form(reference: str) -> str:
    """Returns the form of a reference: one of the file forms, BUILT_IN_FORM, or FUNCTION for anything else."""
    if reference in BUILT_IN:
        return BUILT_IN_FORM
    endings = [ending for ending in FORMS if _path(reference).endswith(ending)]
    return FORMS[max(endings, key=len)] if endings else FUNCTION


def targets(reference: str) -> tuple[str, ...]:
    """Returns the targets that data.target can name in a built-in set. Empty for anything else."""
    return TARGETS.get(reference, (BUILT_IN_TARGET,) if reference in BUILT_IN else ())


def is_table(reference: str) -> bool:
    """Returns whether the columns have names, so that one must be named as the target."""
    return form(reference) in TABLES


def _path(reference: str) -> str:
    return reference.lower().partition("?")[0]


def has_known_form(reference: str) -> bool:
    """Returns whether it is built in, or has the ending of a file that can be read."""
    return reference in BUILT_IN or _path(reference).endswith((*FORMS, ".onnx"))


def find_built_in_paths(name: str) -> tuple[Path, ...]:
    """Returns the paths of a built-in set in scikit-learn, which is not imported. Raises MissingLibraryError without
    it.
    """
    spec = importlib.util.find_spec("sklearn")
    if spec is None or not spec.submodule_search_locations:
        raise MissingLibraryError("scikit-learn, which contains the data sets, is not installed", "run `make setup`")
    folder = Path(spec.submodule_search_locations[0]) / "datasets" / "data"
    return tuple(folder / file for file in BUILT_IN[name])


def open_url(reference: str) -> IO[bytes]:
    """Opens a URL as a stream that can seek. Raises DataError, MissingLibraryError. Reading object storage raises
    DataError too.
    """
    from sealift.stores import is_object_url, open_object

    if is_object_url(reference):
        return open_object(reference, lambda error: _unusable(reference, error.message, error.hint))
    try:
        import fsspec
    except ImportError as error:
        raise MissingLibraryError("fsspec, which reads URLs, is not installed", "run `make setup`") from error
    try:
        stream: Any = fsspec.open(reference, "rb").open()
    except ImportError as error:
        said = without_parts_of(reference, str(error))
        raise MissingLibraryError(f"{reference.partition('://')[0]}:// needs another package: {said}") from error
    except Exception as error:
        raise _unreadable(reference, error) from error
    return stream  # type: ignore[no-any-return]


@contextlib.contextmanager
def _refuse_unreadable(reference: str) -> Iterator[None]:
    """Raises the errors of a URL's library as DataError, without the URL's secrets."""
    try:
        yield
    except (MemoryError, DataError):
        raise
    except Exception as error:
        raise _unreadable(reference, error) from error


def _unreadable(reference: str, error: Exception) -> DataError:
    return _unusable(reference, f"{type(error).__name__}: {error}", "check the URL and your access to it")


def _unusable(reference: str, said: str, hint: str) -> DataError:
    return DataError(f"{reference} cannot be read: {without_parts_of(reference, said)}", hint)


Stamp = tuple[int, int, int] | None


def stamp(reference: str, folder: Path) -> Stamp:
    """Returns a file's size, time and inode, which differ once it has changed. None for a URL. Raises DataError."""
    if is_url(reference):
        return None
    path = folder / Path(reference).expanduser()
    try:
        status = path.stat()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", "check the path and its permissions") from error
    return status.st_size, status.st_mtime_ns, status.st_ino


def _forms() -> str:
    built_in = ", ".join(BUILT_IN)
    return f"allowed: {built_in}; a file or URL that ends in {', '.join(FORMS)}; package.module:function"
