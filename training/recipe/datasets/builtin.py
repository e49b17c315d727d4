"""Data sets that scikit-learn ships, read from its files without importing it. No value is changed."""

# ruff: noqa: N803, N806 (names of arrays carry the letters of their shape)

import gzip
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import pyarrow as pa

from training import sources

CELL: Final = ("radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity", "concave points",
               "symmetry", "fractal dimension")  # fmt: skip
FEATURES: Final = {
    "diabetes": ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"),
    "digits": tuple(f"pixel_{row}_{column}" for row in range(8) for column in range(8)),
    "iris": ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"),
    "wine": ("alcohol", "malic_acid", "ash", "alcalinity_of_ash", "magnesium", "total_phenols", "flavanoids",
             "nonflavanoid_phenols", "proanthocyanins", "color_intensity", "hue", "od280/od315_of_diluted_wines",
             "proline"),
    "linnerud": ("Chins", "Situps", "Jumps"),
    "breast_cancer": tuple(name for form in ("mean {}", "{} error", "worst {}") for name in map(form.format, CELL)),
}  # fmt: skip
"""Column names as in scikit-learn's loaders, since the files have none."""
TARGET: Final = sources.BUILT_IN_TARGET
IMAGES: Final = {"digits": (1, 8, 8)}
"""Channels, height and width of the sets whose columns are pixels, for networks that use neighbouring values."""

Lines = list[str]


def read(name: str, target: str | None = None) -> pa.Table:
    """Reads features and `target`, a number or the class's name. `target` chooses among several."""
    files = [_read_lines(path.read_bytes()) for path in sources.find_built_in_paths(name)]
    targets = sources.TARGETS.get(name)
    if targets is not None:
        return _read_one_of(name, files, targets.index(target or targets[0]))
    return READERS[name](name, files)


def _read_one_of(name: str, files: list[Lines], chosen: int) -> pa.Table:
    """Reads a set with features in the first file and all targets in the second, each with a line of names."""
    features_RF, targets_RT = (np.loadtxt(file[1:]) for file in files)
    return _make_table(name, features_RF, pa.array(targets_RT[:, chosen]))


def _read_diabetes(name: str, files: list[Lines]) -> pa.Table:
    return _make_table(name, np.loadtxt(files[0]), pa.array(np.loadtxt(files[1])))


def _read_digits(name: str, files: list[Lines]) -> pa.Table:
    rows_RF = np.loadtxt(files[0], delimiter=",")
    return _make_table(name, rows_RF[:, :-1], pa.array(rows_RF[:, -1].astype(int)))


def _read_with_class_names(name: str, files: list[Lines]) -> pa.Table:
    """Reads a set whose first line has the number of rows and features and the names of the classes."""
    classes = np.array(files[0][0].split(",")[2:])
    rows_RF = np.loadtxt(files[0][1:], delimiter=",")
    return _make_table(name, rows_RF[:, :-1], pa.array(classes[rows_RF[:, -1].astype(int)]))


READERS: Final[Mapping[str, Callable[[str, list[Lines]], pa.Table]]] = {
    "diabetes": _read_diabetes,
    "digits": _read_digits,
    "iris": _read_with_class_names,
    "wine": _read_with_class_names,
    "breast_cancer": _read_with_class_names,
}


def _make_table(name: str, features_RF: "np.typing.NDArray[np.float64]", target: pa.Array) -> pa.Table:
    columns = dict(zip(FEATURES[name], map(pa.array, features_RF.T), strict=True))
    return pa.table({**columns, TARGET: target})


def _read_lines(file: bytes) -> Lines:
    return (gzip.decompress(file) if file.startswith(b"\x1f\x8b") else file).decode().splitlines()
