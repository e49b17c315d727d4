"""Data sets of arrays: NPZ files, and return values of user functions."""

import io
import math
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import pyarrow as pa

from sealift.names import counted
from sealift.settings import Problem
from sealift.settings.names import suggest
from training import user_code
from training.errors import DataError
from training.job import Job
from training.options import Data, Task
from training.recipe.datasets.column_choice import ColumnsMissing

TARGET: Final = "target"
IMAGE_DIMENSIONS: Final = 3
"""Number of dimensions (rows, height, width) from which bytes are pixels. Other whole numbers are ids."""
ALLOWED: Final = ("features", "target", "task", "feature_names", "classes", "words")
Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Arrays:
    """Features (R, *S) and a target (R,) of numbers or texts."""

    features: Array
    target: Array
    task: Task | None = None
    feature_names: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    """Names of the classes, if the target has indices."""
    words: tuple[str, ...] = ()

    @property
    def is_table(self) -> bool:
        """Whether columns are treated one by one."""
        return self.features.ndim == 2 and np.issubdtype(self.features.dtype, np.floating)

    def table(self) -> pa.Table:
        """Returns the columns, with the target as "target"."""
        count = self.features.shape[1]
        names = self.feature_names or tuple(f"x{at}" for at in range(count))
        return pa.table({**dict(zip(names, map(pa.array, self.features.T), strict=True)), TARGET: self.named_target()})

    def named_target(self) -> pa.Array:
        """Returns the target, with class names if there are any."""
        return pa.array(np.array(self.classes)[self.target] if self.classes else self.target)


def read_npz(reference: str, content: bytes, options: Data) -> Arrays:
    """Reads the arrays `x` and `y`, or those that data names. Never unpickles. Raises DataError."""
    names = _find_names(options)
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        unpacked = sum(one.file_size for one in archive.infolist())
        if unpacked > options.memory_bytes:
            raise DataError(
                f"{reference} has {unpacked:,} bytes unpacked, which exceeds data.memoryBytes, "
                f"{options.memory_bytes:,}", "raise data.memoryBytes, or write a table as Parquet, which is streamed"
            )  # fmt: skip
        file = np.load(io.BytesIO(content), allow_pickle=False)
        _check_there(reference, names, file.files)
        for name in names:
            _check_size(archive, name)
        return check_arrays(reference, {"features": file[names[0]], "target": file[names[1]]})
    except (zipfile.BadZipFile, zlib.error, struct.error, ValueError, LookupError, EOFError, OSError,
            NotImplementedError, RuntimeError) as error:  # fmt: skip
        raise DataError(
            f"{reference} cannot be read as NPZ: {type(error).__name__}: {error}",
            "write it with numpy.savez, with arrays of numbers or text and without objects",
        ) from None


def check_names(reference: str, path: Path, options: Data) -> None:
    """Raises DataError unless the file has the arrays that data names. Reads none of them."""
    try:
        with zipfile.ZipFile(path) as archive:
            there = [name.removesuffix(".npy") for name in archive.namelist()]
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(
            f"{reference} cannot be read as NPZ: {type(error).__name__}: {error}", "write the file again"
        ) from None
    _check_there(reference, _find_names(options), there)


def _find_names(options: Data) -> tuple[str, str]:
    """Returns the names of the features' and the target's array."""
    return options.features[0] if options.features else "x", options.target or "y"


def _check_there(reference: str, names: tuple[str, str], there: Sequence[str]) -> None:
    problems = [
        Problem(setting, f"names the array {name!r}, which {reference} does not contain{suggest(name, there)}")
        for setting, name in zip(("data.features", "data.target"), names, strict=True)
        if name not in there
    ]
    if problems:
        raise ColumnsMissing(
            problems, f"its arrays: {', '.join(there)}; without data.features and data.target, x and y are read"
        )


def _check_size(archive: zipfile.ZipFile, name: str) -> None:
    """Raises ValueError for an array whose header gives a wrong size, since NumPy would allocate that size."""
    member = archive.getinfo(name if name in archive.namelist() else f"{name}.npy")
    with archive.open(member) as stream:
        version = np.lib.format.read_magic(stream)
        read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        if version not in read_header:
            raise ValueError(f"the array {name!r} has a header of version {version}")
        shape, _, kind = read_header[version](stream)
        size = math.prod(shape) * kind.itemsize
        if kind.hasobject:
            return  # NumPy refuses it, since allow_pickle is False
        if size != member.file_size - stream.tell() or any(one < 0 for one in shape):
            raise ValueError(f"the array {name!r} does not have the {size:,} bytes that its header says")


def call(job: Job, folder: Path) -> Arrays:
    """Calls the user's function. Raises DataError."""
    function = user_code.load(job.dataset, job.roots(folder))
    if not callable(function):
        raise DataError(
            f"dataset is {job.dataset!r}, which is not a function", "name a function as package.module:function"
        )
    strange = user_code.strange_arguments(function, job.data.arguments)
    if strange:
        raise DataError("; ".join(f"data.arguments {said}" for said in strange), f"see the arguments of {job.dataset}")
    try:
        returned = function(**job.data.arguments)
    except user_code.RAISED as error:
        raise DataError(
            f"{job.dataset} {user_code.say(error)}",
            "the function is called with data.arguments",
        ) from error
    if isinstance(returned, tuple) and len(returned) == 2:
        returned = dict(zip(("features", "target"), returned, strict=True))
    if not isinstance(returned, Mapping) or not {"features", "target"} <= returned.keys() <= set(ALLOWED):
        found = f"keys {', '.join(map(repr, returned))}" if isinstance(returned, Mapping) else type(returned).__name__
        raise DataError(
            f"{job.dataset} returned {found}",
            f"it must return features and target, as a pair or in a dict with {', '.join(ALLOWED)}",
        )
    return check_arrays(job.dataset, returned)


def check_arrays(reference: str, given: Mapping[str, Any]) -> Arrays:
    """Checks the arrays. Raises DataError if they do not fit together."""
    features, target = np.asarray(given["features"]), np.asarray(given["target"])
    if target.ndim == 2 and target.shape[1] == 1:
        target = target[:, 0]
    words, classes = tuple(given.get("words") or ()), tuple(map(str, given.get("classes") or ()))
    names = tuple(map(str, given.get("feature_names") or ()))
    task = given.get("task")
    problems = [
        (features.ndim < 2, f"features have the shape {features.shape}; it must be (rows, ...)"),
        (target.ndim != 1, f"the target has the shape {target.shape}; it must be (rows,)"),
        (
            features.shape[:1] != target.shape[:1],
            f"features have shape {features.shape}, the target has {target.shape}; the numbers of rows must be equal",
        ),
        (not _is_numeric(features), f"features have the type {features.dtype}; allowed: numbers of at most 64 bits"),
        (
            not _is_numeric(target) and target.dtype.kind not in "US",
            f"the target has the type {target.dtype}; allowed: numbers of at most 64 bits, texts",
        ),
        (
            task not in (None, "regression", "classification"),
            f"task is {task!r}; allowed: 'regression', 'classification'",
        ),
        (
            bool(names) and len(names) != features.shape[-1],
            f"feature_names has {counted(len(names), 'name')} for features of shape {features.shape}",
        ),
        (len(set(names)) != len(names), "feature_names contains a name twice"),
        (len(set(classes)) != len(classes), "classes contains a name twice"),
    ]
    for wrong, message in problems:
        if wrong:
            raise DataError(f"{reference}: {message}", "see `dataset` in docs/reference/configuration.md")
    _check_indices(reference, features, target, words, classes)
    _check_held(reference, features)
    if np.issubdtype(features.dtype, np.floating) or features.dtype.kind == "b":
        features = features.astype(np.float32 if features.dtype.kind == "b" else features.dtype)
    if target.dtype.kind == "S":
        target = target.astype(str)
    return Arrays(features, target, cast(Task | None, task), names, classes, words)


def _check_indices(
    reference: str, features: Array, target: Array, words: tuple[str, ...], classes: tuple[str, ...]
) -> None:
    if classes and (
        target.dtype.kind not in "iu" or (target.size and not 0 <= target.min() <= target.max() < len(classes))
    ):
        raise DataError(f"{reference}: the target must contain indices of its {len(classes)} classes, from 0", "")
    if words and (
        features.dtype.kind not in "iu" or (features.size and not 0 <= features.min() <= features.max() < len(words))
    ):
        raise DataError(f"{reference}: features must contain indices of its {len(words)} words, from 0", "")


def _check_held(reference: str, features: Array) -> None:
    """Raises DataError for ids beyond INT64 and numbers beyond FP32. Gives their place, never their value."""
    if features.dtype == np.uint64:
        wrong = features > np.iinfo(np.int64).max
    elif features.dtype == np.float64 and features.ndim > 2:  # for tables, the quality checks report it
        wrong = np.isfinite(features) & (np.abs(features) > np.finfo(np.float32).max)
    else:
        return
    if wrong.any():
        row = int(np.flatnonzero(wrong.reshape(len(features), -1).any(axis=1))[0])
        limit = (
            "2^63 - 1, the largest value of INT64"
            if features.dtype == np.uint64
            else "3.4e38, the largest value of FP32"
        )
        raise DataError(
            f"{reference}: features have {counted(int(wrong.sum()), 'value')} beyond {limit}, first in row {row + 1:,}",
            "number ids from 0, or scale quantities down",
        )


def _is_numeric(array: Array) -> bool:
    return array.dtype.kind in "biu" or (array.dtype.kind == "f" and array.dtype.itemsize <= 8)
