"""ENCODED IMAGES → PIXELS: the features of a column of PNG, JPEG or WebP files, as Parquet files of images have it.

Values are 0 to 255, as in the file: the deployed model scales them itself. Errors name rows, never a path or a pixel.
"""

# ruff: noqa: N806 (names of arrays carry the letters of their shape)

import io
import warnings
from typing import Any, Final

import numpy as np
import pyarrow as pa
from PIL import Image

from training import options
from training.errors import DataError

FORMATS: Final = ("PNG", "JPEG", "WEBP")
MODES: Final = {1: "L", 3: "RGB"}
MOST_PIXELS: Final = 64_000_000
"""Of one image, before it is scaled: a small file can unpack to more than memory holds."""
BYTES_A_VALUE: Final = 4

Pixels = np.ndarray[Any, np.dtype[np.float32]]


def decode(column: pa.ChunkedArray, wanted: options.ImageColumn, most_bytes: int) -> Pixels:
    """(R, C, H, W), FP32 from 0 to 255; height and width as asked for, or else as the first image has them.

    Raises DataError for what is no image, for images of different sizes, and for more than `most_bytes`.
    """
    files = _files(column, wanted.column)
    first = _opened(files[0], 0)
    height, width = wanted.height or first.height, wanted.width or first.width
    size = len(files) * wanted.channels * height * width * BYTES_A_VALUE
    if size > most_bytes:
        raise DataError(
            f"the images have {size:,} bytes once decoded, more than data.memoryBytes, {most_bytes:,}",
            "scale them down by data.image.height and width, or raise data.memoryBytes",
        )
    pixels_RCHW = np.empty((len(files), wanted.channels, height, width), np.float32)
    for row, file in enumerate(files):
        image = _opened(file, row)
        if wanted.height is None and (image.height, image.width) != (height, width):
            raise DataError(
                f"the image in row {row + 1} has {image.width} × {image.height} pixels, the first {width} × {height}",
                "scale all to one size by data.image.height and width",
            )
        pixels_RCHW[row] = _pixels(image, wanted.channels, height, width, row)
    return pixels_RCHW


def _files(column: pa.ChunkedArray, name: str | None) -> list[bytes]:
    """Each row's file: bytes, or the `bytes` of an object, as Hugging Face's data sets store it."""
    kind = column.type
    if pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
        column = pa.chunked_array([chunk.field("bytes") for chunk in column.chunks], kind.field("bytes").type)
    if not (pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type)):
        raise DataError(
            f"data.image names the column {name!r}, which holds {kind}",
            "it must hold the image files themselves, as bytes, or as objects with `bytes`",
        )
    if column.null_count:
        raise DataError(f"the column {name!r} has no image in {column.null_count:,} of {len(column):,} rows",
                        "leave out these rows")  # fmt: skip
    files: list[bytes] = column.to_pylist()
    return files


def _opened(file: bytes, row: int) -> Image.Image:
    """Its header only. Raises DataError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # MOST_PIXELS is the limit here
            image = Image.open(io.BytesIO(file), formats=FORMATS)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise DataError(f"row {row + 1} holds no {', '.join(FORMATS)} image", "write it anew") from None
    if image.width * image.height > MOST_PIXELS:
        raise DataError(f"the image in row {row + 1} has {image.width} × {image.height} pixels; at most "
                        f"{MOST_PIXELS:,} are read", "scale it down")  # fmt: skip
    return image


def _pixels(image: Image.Image, channels: int, height: int, width: int, row: int) -> Pixels:
    """(C, H, W)."""
    try:
        plain = image.convert(MODES[channels])
    except (OSError, ValueError, SyntaxError):
        raise DataError(f"the image in row {row + 1} is not whole", "write it anew") from None
    if plain.size != (width, height):
        plain = plain.resize((width, height), Image.Resampling.BILINEAR)
    values_HWC: Pixels = np.asarray(plain, np.float32).reshape(height, width, channels)
    return values_HWC.transpose(2, 0, 1)
