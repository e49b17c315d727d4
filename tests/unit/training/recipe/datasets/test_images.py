"""A Parquet column of image files: the features are their pixels."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from PIL import Image

from training.errors import DataError
from training.job import Job, libraries
from training.options import ImageColumn
from training.recipe.datasets.dataset import Dataset
from training.recipe.datasets.images import decode
from training.recipe.datasets.load import load
from training.recipe.datasets.split import hold_out

KEY = bytes(32)
DRAWN = np.random.default_rng(0).integers(0, 256, (12, 6, 5, 3), dtype=np.uint8)
"""Rows, height, width, colours."""


def encoded(image: np.ndarray[Any, Any], kind: str = "PNG", **more: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, kind, **more)
    return file.getvalue()


def written(folder: Path, files: list[bytes | None], *, as_objects: bool = False, **columns: Any) -> Path:
    column: list[Any] = [{"bytes": file, "path": None} for file in files] if as_objects else list(files)
    table = pa.table({"picture": column, "label": ["ab"[at % 2] for at in range(len(files))], **columns})
    pa.parquet.write_table(table, folder / "pictures.parquet")
    return folder


def loaded(folder: Path, data: dict[str, Any] | None = None, **image: Any) -> Dataset:
    settings = {"target": "label", "image": {"column": "picture", **image}, **(data or {})}
    job, problems = Job.validate({"dataset": "pictures.parquet", "data": settings, "model": "cnn"}, folder)
    assert job is not None, problems
    return load(job, folder, KEY)


@pytest.mark.parametrize("as_objects", [False, True], ids=["bytes", "as Hugging Face stores them"])
def test_every_pixel_is_a_feature_in_the_file_s_own_values(tmp_path: Path, *, as_objects: bool) -> None:
    data = loaded(written(tmp_path, [encoded(one) for one in DRAWN], as_objects=as_objects))

    features, target = data.rows.first(12)
    assert data.shape == (3, 6, 5)
    assert np.array_equal(features.numpy(), DRAWN.transpose(0, 3, 1, 2).astype(np.float32))
    assert (data.classes, target.tolist()) == (("a", "b"), [0, 1] * 6)


def test_grey_and_scaled_is_as_pillow_does_it(tmp_path: Path) -> None:
    data = loaded(written(tmp_path, [encoded(one) for one in DRAWN]), channels=1, height=4, width=3)

    grey = [Image.fromarray(one).convert("L") for one in DRAWN]
    theirs = [np.asarray(one.resize((3, 4), Image.Resampling.BILINEAR), np.float32) for one in grey]
    assert data.shape == (1, 4, 3)
    assert np.array_equal(data.rows.first(12)[0][:, 0].numpy(), np.stack(theirs))


def test_jpeg_and_webp_are_read_and_images_of_all_sizes_are_scaled_to_one(tmp_path: Path) -> None:
    files = [encoded(DRAWN[0], "JPEG"), encoded(DRAWN[1][:3], "WEBP"), *(encoded(one[:4]) for one in DRAWN[2:])]

    assert loaded(written(tmp_path, list(files)), height=4, width=4).shape == (3, 4, 4)


def test_rows_can_be_held_out_by_another_column(tmp_path: Path) -> None:
    folder = written(tmp_path, [encoded(one) for one in DRAWN], part=["train"] * 9 + ["test"] * 3)
    job, _ = Job.validate({"dataset": "pictures.parquet", "data": {
        "target": "label", "image": {"column": "picture"}, "split": {"column": "part"}}}, folder)  # fmt: skip
    assert job is not None

    import torch

    rest, held_out = hold_out(load(job, folder, KEY), job, torch.Generator())

    assert (len(rest), len(held_out)) == (9, 3)
    assert np.array_equal(held_out.first(1)[0][0].numpy(), DRAWN[9].transpose(2, 0, 1))


def test_what_is_no_image_is_said_by_its_row(tmp_path: Path) -> None:
    good = [encoded(one) for one in DRAWN]
    torn = encoded(DRAWN[0], "JPEG")
    cases: list[tuple[list[bytes | None], str]] = [
        ([*good[:5], b"no image", *good[5:]], "row 6 does not hold a PNG, JPEG, WEBP image"),
        ([*good[:5], torn[:-40], *good[5:]], "the image in row 6 "),
        ([*good[:5], None, *good[5:]], "has no image in 1 of 13 rows"),
        ([*good[:5], encoded(DRAWN[0][:2]), *good[5:]], "the image in row 6 has 5 × 2 pixels, the first one has 5 × 6"),
        ([encoded(one, "GIF") for one in DRAWN[..., 0]], "row 1 does not hold a PNG, JPEG, WEBP image"),
    ]
    for files, message in cases:
        with pytest.raises(DataError) as refused:
            loaded(written(tmp_path, files))
        assert message in str(refused.value)
        assert refused.value.hint != ""


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("size", [{}, {"height": 6, "width": 5}], ids=["as they are", "scaled"])
def test_a_photo_is_turned_as_its_exif_says(tmp_path: Path, orientation: int, kind: str, size: dict[str, Any]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = [TURNED[orientation](one) for one in DRAWN]
    more: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {"quality": 100, "subsampling": 0}
    files = [encoded(np.ascontiguousarray(one), kind, exif=exif.tobytes(), **more) for one in turned]

    features = loaded(written(tmp_path, list(files)), **size).rows.first(12)[0].numpy()

    assert features.shape == (12, 3, 6, 5)
    assert np.abs(features - DRAWN.transpose(0, 3, 1, 2)).max() <= (0 if kind != "JPEG" else 6)


TURNED = {
    1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1), 6: lambda a: np.rot90(a, 1), 7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
    8: lambda a: np.rot90(a, -1),
}  # fmt: skip
"""Upright pixels as the file has them: the EXIF standard says where the 0th row and the 0th column of the file are."""


def test_of_sixteen_bits_the_upper_eight_are_kept(tmp_path: Path) -> None:
    deep = DRAWN[..., 0].astype(np.uint16) * 256 + 77

    for channels in (1, 3):
        features = loaded(written(tmp_path, [encoded(one) for one in deep]), channels=channels).rows.first(12)[0]
        assert np.array_equal(features.numpy(), np.repeat(DRAWN[:, np.newaxis, ..., 0], channels, axis=1))


def as_mode(pixels: np.ndarray[Any, Any], mode: str) -> Image.Image:
    image = Image.fromarray(pixels)
    return image.quantize(256) if mode == "P" else image.convert(mode)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_modes_that_everybody_sees_alike_are_read_as_they_look(tmp_path: Path, mode: str) -> None:
    images = [as_mode(one, mode) for one in DRAWN]
    files = []
    for image in images:
        file = io.BytesIO()
        image.save(file, "PNG")
        files.append(file.getvalue())

    for channels, plain in ((1, "L"), (3, "RGB")):
        features = loaded(written(tmp_path, list(files)), channels=channels).rows.first(12)[0].numpy()
        expected = np.stack([np.asarray(one.convert("RGB").convert(plain), np.float32) for one in images])
        assert np.array_equal(features, expected.reshape(12, 6, 5, channels).transpose(0, 3, 1, 2))


def unclear(mode: str) -> bytes:
    file, image = io.BytesIO(), Image.fromarray(DRAWN[0])
    if mode in ("RGBA", "LA"):
        image = image.convert(mode)
        image.putalpha(Image.fromarray(DRAWN[0][..., 0]))
        image.save(file, "PNG")
    elif mode == "P":
        image.quantize(16).save(file, "PNG", transparency=3)
    elif mode in ("L", "RGB"):
        image = image.convert(mode)
        image.save(file, "PNG", transparency=image.getpixel((0, 0)))
    elif mode == "CMYK":
        image.convert(mode).save(file, "JPEG")
    else:
        image.save(file, mode, save_all=True, append_images=[Image.fromarray(one) for one in DRAWN[1:3]])
    return file.getvalue()


@pytest.mark.parametrize(
    ("mode", "message"),
    [(mode, f"the image in row 4 has transparent pixels (mode {mode})") for mode in ("RGBA", "LA", "P", "L", "RGB")]
    + [("CMYK", "the image in row 4 has the unsupported mode CMYK")]
    + [(kind, "the image in row 4 is animated") for kind in ("PNG", "WEBP")],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_what_can_be_seen_in_two_ways_is_refused_by_row_and_name(
    tmp_path: Path, mode: str, message: str, channels: int
) -> None:
    good = [encoded(one) for one in DRAWN]

    with pytest.raises(DataError) as refused:
        loaded(written(tmp_path, [*good[:3], unclear(mode), *good[4:]]), channels=channels)

    assert message in str(refused.value)
    assert refused.value.hint != ""


def test_the_photograph_of_a_file_with_a_second_picture_is_read(tmp_path: Path) -> None:
    """Telephones write a smaller one, or the depth, behind it (MPO)."""
    files = []
    for one in DRAWN:
        file = io.BytesIO()
        second = Image.fromarray(255 - one)
        Image.fromarray(one).save(file, "MPO", save_all=True, append_images=[second], quality=100, subsampling=0)
        files.append(file.getvalue())

    features = loaded(written(tmp_path, list(files))).rows.first(12)[0].numpy()

    assert np.abs(features - DRAWN.transpose(0, 3, 1, 2)).max() <= 6


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_file_that_is_damaged_anywhere_is_an_image_or_said_by_its_row(kind: str) -> None:
    """Not one of two hundred damages ends in another error."""
    exif = Image.Exif()
    exif[0x0112] = 6
    whole = encoded(DRAWN[0], kind, exif=exif.tobytes())
    own = np.random.default_rng(0)
    for _ in range(200):
        damaged = bytearray(whole)
        for at in own.integers(0, len(whole), 3):
            damaged[at] = own.integers(0, 256)
        try:
            decode(pa.chunked_array([[bytes(damaged)]]), ImageColumn("picture", height=4, width=4), 2**20)
        except DataError as error:
            assert "row 1" in str(error)


def test_a_small_file_of_a_huge_image_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    bomb = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(bomb, "PNG", compress_level=9)
    assert len(bomb.getvalue()) < 100_000

    with pytest.raises(DataError, match=r"row 1 (has|exceeds|does not hold)"):
        loaded(written(tmp_path, [bomb.getvalue()] * 4), height=8, width=8)


def test_more_than_memory_may_hold_is_refused_before_anything_is_decoded() -> None:
    column = pa.chunked_array([[encoded(one) for one in DRAWN]])

    with pytest.raises(DataError, match=r"4,320 bytes decoded, which exceeds data\.memoryBytes, 4,000"):
        decode(column, ImageColumn("picture"), 4000)


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        (
            {"dataset": "a.csv", "data": {"target": "y", "image": {"column": "a"}}},
            "data has image, which needs a column of files",
        ),
        ({"dataset": "a.parquet", "data": {"target": "y", "image": {}}}, "data.image.column is missing"),
        (
            {"dataset": "a.parquet", "data": {"target": "y", "image": {"column": "a", "channels": 2}}},
            "data.image.channels is 2; allowed: 1, 3",
        ),
        (
            {"dataset": "a.parquet", "data": {"target": "y", "image": {"column": "a", "height": 8}}},
            "data.image.height and width must be given together",
        ),
        (
            {"dataset": "a.parquet", "data": {"target": "y", "image": {"column": "a"}, "features": ["b"]}},
            "data.features and image are two kinds of features",
        ),
    ],
)
def test_settings_that_cannot_be_together_are_told_before_anything_runs(
    properties: dict[str, object], message: str
) -> None:
    _, problems = Job.validate(properties)

    assert any(str(one).startswith(message) for one in problems), problems


def test_a_column_of_another_kind_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data\.image names the column 'label', which holds string"):
        loaded(written(tmp_path, [encoded(one) for one in DRAWN], other=["ab"[at % 2] for at in range(12)]),
               data={"target": "other"}, column="label")  # fmt: skip


def test_the_version_of_the_decoder_is_part_of_the_identity_where_it_decodes() -> None:
    plain, image = Job(), Job.validate({"dataset": "a.parquet", "data": {"target": "y", "image": {"column": "a"}}})[0]
    assert image is not None

    assert "pillow" not in str(libraries(plain))
    assert "pillow" in str(libraries(image))
