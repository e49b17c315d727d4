"""The sets that scikit-learn ships, read from its files without importing it. Nothing here changes a value."""

# ruff: noqa: N803, N806 (names of arrays carry the letters of their shape)

import gzip
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
    "breast_cancer": tuple(name for form in ("mean {}", "{} error", "worst {}") for name in map(form.format, CELL)),
}  # fmt: skip
"""As scikit-learn's own loaders name them: the files do not."""
TARGET: Final = "target"


def read(name: str) -> pa.Table:
    """Features and `target`: a number (diabetes) or the class's name."""
    contents = [_content(path.read_bytes()) for path in sources.built_in_paths(name)]
    if name == "diabetes":
        return _table(name, np.loadtxt(contents[0]), pa.array(np.loadtxt(contents[1])))
    if name == "digits":
        rows_RF = np.loadtxt(contents[0], delimiter=",")
        return _table(name, rows_RF[:, :-1], pa.array(rows_RF[:, -1].astype(int)))
    # The first line: rows, features, names of the classes.
    classes = np.array(contents[0][0].split(",")[2:])
    rows_RF = np.loadtxt(contents[0][1:], delimiter=",")
    return _table(name, rows_RF[:, :-1], pa.array(classes[rows_RF[:, -1].astype(int)]))


def _table(name: str, features_RF: "np.typing.NDArray[np.float64]", target: pa.Array) -> pa.Table:
    columns = dict(zip(FEATURES[name], map(pa.array, features_RF.T), strict=True))
    return pa.table({**columns, TARGET: target})


def _content(file: bytes) -> list[str]:
    return (gzip.decompress(file) if file.startswith(b"\x1f\x8b") else file).decode().splitlines()
