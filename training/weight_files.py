"""Which files an ONNX file keeps weights in, beside itself: they are part of what the model is.

Standard library only, since a preview tells what a run is made from before onnx is installed.
"""

import mmap
from pathlib import Path

from sealift.contents.onnx_tensors import NotOnnxError, external_locations
from training.errors import ModelError


def weight_files(model: Path) -> dict[str, Path]:
    """By what the model calls them, which is relative to its folder. Raises ModelError for any that is not in there and
    for a model that is not an ONNX file, and OSError where the model cannot be read.
    """
    with model.open("rb") as file:
        if not model.stat().st_size:
            return {}
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            names = locations(content)
    return {name: inside(model.parent, name) for name in sorted(names)}


def locations(content: bytes | mmap.mmap) -> set[str]:
    """What an ONNX file calls the files of its weights. Raises ModelError for what is not an ONNX file."""
    try:
        return external_locations(content)
    except NotOnnxError as error:
        raise ModelError(
            f"model is not an ONNX file, or has parts that cannot be read: {error}",
            "export the model to ONNX again, in one file if possible",
        ) from None


def inside(folder: Path, location: str) -> Path:
    """The file that a model in the folder calls so. Raises ModelError for one that is not there, leads elsewhere or is
    hidden: what a model brings along is not the program's own `.sealift/passphrase` or `.env`.
    """
    try:
        path, root = (folder / location).resolve(), folder.resolve()
        ours = path.is_relative_to(root) and path.is_file()
        hidden = ours and any(part.startswith(".") for part in path.relative_to(root).parts)
    except (OSError, ValueError):  # a name that is too long, or has a zero byte
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
