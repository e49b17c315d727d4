"""Images made without a builder: the same bytes everywhere, and only what an image needs."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from bootstrap import image_archive
from bootstrap.steps import base_image


def make(folder: Path, name: str = "sealift.local/pause:1") -> tuple[str, bytes]:
    folder.mkdir()
    layer = folder / "layer.tar"
    layer.write_bytes(image_archive.layer_of({"pause": b"program"}))
    settings = image_archive.configuration(layer, architecture="amd64", command=["/pause"], labels={"b": "1", "a": "2"})
    image_archive.write(folder / "image.tar", layer=layer, configuration=settings, name=name)
    return image_archive.image_id(settings), (folder / "image.tar").read_bytes()


def test_the_same_layer_gives_the_same_bytes_in_any_folder(tmp_path: Path) -> None:
    assert make(tmp_path / "one") == make(tmp_path / "another checkout")


def test_the_image_id_is_the_digest_of_its_configuration(tmp_path: Path) -> None:
    image_id, archive = make(tmp_path / "one")

    with tarfile.open(fileobj=io.BytesIO(archive)) as image:
        manifest = json.loads(image.extractfile("manifest.json").read())  # type: ignore[union-attr]
        configuration = image.extractfile(manifest[0]["Config"]).read()  # type: ignore[union-attr]
        layer = image.extractfile(manifest[0]["Layers"][0]).read()  # type: ignore[union-attr]
    assert image_id == hashlib.sha256(configuration).hexdigest()
    assert json.loads(configuration)["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(layer).hexdigest()}"]
    assert manifest[0]["RepoTags"] == ["sealift.local/pause:1"]


def test_a_name_does_not_change_the_image(tmp_path: Path) -> None:
    assert make(tmp_path / "one")[0] == make(tmp_path / "two", name="other:1")[0]


@pytest.fixture
def root_file_system(tmp_path: Path) -> Path:
    """As a Debian bootstrap leaves it: links, documentation, lists, times of today, in no order."""
    path = tmp_path / "whole.tar"
    with tarfile.open(path, "w") as archive:

        def add(name: str, data: bytes | None = None, **fields: object) -> None:
            entry = tarfile.TarInfo(name)
            entry.mtime = 1_700_000_000
            entry.mode = 0o755
            for field, value in fields.items():
                setattr(entry, field, value)
            if data is not None:
                entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data) if data is not None else None)

        for folder in (
            "./usr",
            "./usr/share/doc",
            "./usr/share/doc/bash",
            "./dev",
            "./var/lib/apt",
            "./etc/apt",
            "./usr/bin",
        ):
            add(folder, type=tarfile.DIRTYPE)
        add("./usr/share/doc/bash/copyright", b"text")
        add("./dev/null", type=tarfile.CHRTYPE)
        add("./var/lib/apt/lists", b"lists")
        add("./etc/machine-id", b"1")
        add("./usr/bin/perl", b"perl")
        add("./bin/perl5", type=tarfile.LNKTYPE, linkname="./usr/bin/perl")
        add("./usr/sharedoc", b"not documentation")
    return path


def names(path: Path) -> list[str]:
    with tarfile.open(path) as archive:
        return archive.getnames()


def test_what_an_image_does_not_need_is_gone_and_its_folders_stay(root_file_system: Path, tmp_path: Path) -> None:
    base_image.strip(root_file_system, tmp_path / "out.tar")

    assert names(tmp_path / "out.tar") == [
        "./dev",
        "./etc/apt",
        "./usr",
        "./usr/bin",
        "./usr/bin/perl",
        "./usr/share/doc",
        "./usr/sharedoc",
        "./var/lib/apt",
        "./bin/perl5",
    ]


def test_hard_links_come_after_the_file_they_name(root_file_system: Path, tmp_path: Path) -> None:
    base_image.strip(root_file_system, tmp_path / "out.tar")

    with tarfile.open(tmp_path / "out.tar") as archive:
        archive.extractall(tmp_path / "root", filter="tar")
    assert (tmp_path / "root" / "bin" / "perl5").read_bytes() == b"perl"


def test_times_and_order_of_the_source_do_not_show(root_file_system: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.tar"
    with tarfile.open(root_file_system) as source, tarfile.open(other, "w") as target:
        entries = sorted(source.getmembers(), key=lambda entry: (entry.islnk(), entry.name), reverse=False)
        for entry in [entry for entry in reversed(entries) if not entry.islnk()] + [
            entry for entry in entries if entry.islnk()
        ]:
            entry.mtime += 86_400
            target.addfile(entry, source.extractfile(entry) if entry.isreg() else None)

    base_image.strip(root_file_system, tmp_path / "one")
    base_image.strip(other, tmp_path / "two")

    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
