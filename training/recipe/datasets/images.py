"""ENCODED IMAGES → PIXELS: the features of a column of PNG, JPEG or WebP files, as in Parquet files of images.

Values are 0 to 255, as in the file; the deployed model scales them. Images are turned by their EXIF orientation, and of
16 bits the upper 8 are kept. Ambiguous images (transparency, CMYK, several frames) are refused by name. Errors name
rows, never a path or a pixel.
"""

# ruff: noqa: N806 (names of arrays carry the letters of their shape)

import io
import struct
import warnings
from typing import Any, Final

import numpy as np
import pyarrow as pa
from PIL import Image, ImageOps

from training import options
from training.errors import DataError

FORMATS: Final = ("PNG", "JPEG", "WEBP")
MODES: Final = {1: "L", 3: "RGB"}
DEEP: Final = ("I;16", "I;16L", "I;16B", "I;16N")
"""Modes of 16-bit grey, which Pillow would cut off at 255."""
FLAT: Final = ("1", "L", "P", "RGB")
"""Modes that Pillow converts to grey and colours unambiguously. The next ones have transparency, which may be unused.
"""
WITH_ALPHA: Final = ("LA", "La", "PA", "RGBA", "RGBa")
SEVERAL_FRAMES: Final = ("PNG", "WEBP")
"""Formats whose further frames are refused. In a JPEG file with several (MPO), the first is the photograph."""
ORIENTATION: Final = 0x0112
"""EXIF tag of the orientation."""
LYING: Final = (5, 6, 7, 8)
"""Orientations that exchange height and width."""
BROKEN: Final = (OSError, ValueError, SyntaxError, struct.error, LookupError, TypeError, EOFError, OverflowError)
"""Errors that Pillow raises for incomplete files."""
MOST_PIXELS: Final = 64_000_000
"""Largest number of pixels of one image before scaling, since a small file can unpack to more than memory holds."""
BYTES_A_VALUE: Final = 4

Pixels = np.ndarray[Any, np.dtype[np.float32]]


def decode(column: pa.ChunkedArray, wanted: options.ImageColumn, most_bytes: int) -> Pixels:
    """Returns (R, C, H, W), FP32 from 0 to 255, with the requested height and width, or those of the first image.

    Raises DataError for values that are not images, for images of different sizes, and for more than `most_bytes`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # MOST_PIXELS is the limit here
        warnings.simplefilter("ignore", UserWarning)  # of incomplete EXIF tags
        return _decode(_read_files(column, wanted.column), wanted, most_bytes)


def _decode(files: list[bytes], wanted: options.ImageColumn, most_bytes: int) -> Pixels:
    first = _open(files[0], 0)
    first_height, first_width = _find_upright_size(first, 0)
    height, width = wanted.height or first_height, wanted.width or first_width
    size = len(files) * wanted.channels * height * width * BYTES_A_VALUE
    if size > most_bytes:
        raise DataError(
            f"the images have {size:,} bytes decoded, which exceeds data.memoryBytes, {most_bytes:,}",
            "scale them down with data.image.height and width, or raise data.memoryBytes",
        )
    pixels_RCHW = np.empty((len(files), wanted.channels, height, width), np.float32)
    for row, file in enumerate(files):
        image = _open(file, row)
        found_height, found_width = _find_upright_size(image, row)
        if wanted.height is None and (found_height, found_width) != (height, width):
            raise DataError(
                f"the image in row {row + 1} has {found_width} × {found_height} pixels, the first one has {width} × "
                f"{height}",
                "scale all images to one size with data.image.height and width",
            )
        pixels_RCHW[row] = _read_pixels(image, wanted.channels, height, width, row)
    return pixels_RCHW


def _read_files(column: pa.ChunkedArray, name: str | None) -> list[bytes]:
    """Returns each row's file: bytes, or the `bytes` of an object, as in Hugging Face's data sets."""
    kind = column.type
    if pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
        column = pa.chunked_array([chunk.field("bytes") for chunk in column.chunks], kind.field("bytes").type)
    if not (pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type)):
        raise DataError(
            f"data.image names the column {name!r}, which holds {kind}",
            "it must hold image files, as bytes or as objects with `bytes`",
        )
    if column.null_count:
        raise DataError(f"the column {name!r} has no image in {column.null_count:,} of {len(column):,} rows",
                        "remove these rows")  # fmt: skip
    files: list[bytes] = column.to_pylist()
    return files


def _open(file: bytes, row: int) -> Image.Image:
    """Reads only the header. Raises DataError."""
    try:
        image = Image.open(io.BytesIO(file), formats=FORMATS)
    except Image.DecompressionBombError:
        raise DataError(
            f"the image in row {row + 1} exceeds the limit of {MOST_PIXELS:,} pixels", "scale it down"
        ) from None
    except BROKEN:
        raise DataError(f"row {row + 1} does not hold a {', '.join(FORMATS)} image", "write the image again") from None
    if image.width * image.height > MOST_PIXELS:
        raise DataError(f"the image in row {row + 1} has {image.width} × {image.height} pixels; the limit is "
                        f"{MOST_PIXELS:,}", "scale it down")  # fmt: skip
    if image.format in SEVERAL_FRAMES and getattr(image, "n_frames", 1) > 1:
        raise DataError(f"the image in row {row + 1} is animated", "write only the frame to learn from")
    return image


def _find_upright_size(image: Image.Image, row: int) -> tuple[int, int]:
    """Returns height and width after the EXIF rotation."""
    try:
        lying = image.getexif().get(ORIENTATION) in LYING
    except BROKEN:
        raise _make_torn_error(row) from None
    return (image.width, image.height) if lying else (image.height, image.width)


def _read_pixels(image: Image.Image, channels: int, height: int, width: int, row: int) -> Pixels:
    """Returns the pixels, (C, H, W)."""
    try:
        plain = _make_opaque(ImageOps.exif_transpose(image), row).convert(MODES[channels])
    except BROKEN:
        raise _make_torn_error(row) from None
    if plain.size != (width, height):
        plain = plain.resize((width, height), Image.Resampling.BILINEAR)
    values_HWC: Pixels = np.asarray(plain, np.float32).reshape(height, width, channels)
    return values_HWC.transpose(2, 0, 1)


def _make_opaque(image: Image.Image, row: int) -> Image.Image:
    """Returns the image with 8 bits and without transparency, which may be unused. Raises DataError."""
    if image.mode in DEEP and not image.has_transparency_data:
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in WITH_ALPHA or (image.mode in FLAT and image.has_transparency_data):
        clear = image.convert("RGBA")
        if clear.getchannel("A").getextrema() != (255, 255):
            raise DataError(
                f"the image in row {row + 1} has transparent pixels (mode {image.mode}), whose colour is undefined",
                "write it without transparency, on the background that images in requests have",
            )
        return clear.convert("RGB")
    if image.mode not in FLAT:
        raise DataError(
            f"the image in row {row + 1} has the unsupported mode {image.mode}",
            "write it as RGB or grey, with 8 bits per channel",
        )
    return image


def _make_torn_error(row: int) -> DataError:
    return DataError(f"the image in row {row + 1} is incomplete", "write the image again")
