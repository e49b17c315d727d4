"""Files beside an ONNX file that contain its weights. They are part of the model.

Standard library only, since a preview digests a run's inputs before onnx is installed.
"""

import mmap
from pathlib import Path

from sealift.contents.onnx_tensors import NotOnnxError, external_locations
from training.errors import ModelError


def weight_files(model: Path) -> dict[str, Path]:
    """Returns the weights files by their names in the model, which are relative to its folder. Raises ModelError for a
    file outside that folder and for a model that is not an ONNX file, and OSError if the model cannot be read.
    """
    with model.open("rb") as file:
        if not model.stat().st_size:
            return {}
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            names = locations(content)
    return {name: inside(model.parent, name) for name in sorted(names)}


def locations(content: bytes | mmap.mmap) -> set[str]:
    """Returns the names of an ONNX file's weights files. Raises ModelError if it is not an ONNX file."""
    try:
        return external_locations(content)
    except NotOnnxError as error:
        raise ModelError(
            f"model is not an ONNX file, or has parts that cannot be read: {error}",
            "export the model to ONNX again, in one file if possible",
        ) from None


def inside(folder: Path, location: str) -> Path:
    """Returns the file of this name in a model's folder. Raises ModelError if it does not exist, is outside the folder
    or is hidden: a model must not read the program's `.sealift/passphrase` or `.env`.
    """
    try:
        path, root = (folder / location).resolve(), folder.resolve()
        ours = path.is_relative_to(root) and path.is_file()
        hidden = ours and any(part.startswith(".") for part in path.relative_to(root).parts)
    except (OSError, ValueError):  # a name that is too long or contains a zero byte
        ours = hidden = False
    if not ours:
        raise ModelError(
            f"model keeps weights in {location!r}, which is not a file in the model's folder",
            "put the files of its weights beside it, without links to other folders",
        )
    if hidden:
        raise ModelError(
            f"model keeps weights in {location!r}, which is hidden or in a hidden folder",
            "put the files of its weights beside it, with names that do not begin with a dot",
        )
    return path
