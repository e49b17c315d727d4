"""What an image holds of other people's is the same bytes wherever it was unpacked."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from bootstrap.steps import wheels

LINK = "trial = trial:main"


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A package with a program, which names the Python that it was installed for."""
    path = tmp_path / "wheels" / "trial-1.0-py3-none-any.whl"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("trial/__init__.py", "def main() -> None: ...\n")
        archive.writestr("trial-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: trial\nVersion: 1.0\n")
        archive.writestr("trial-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("trial-1.0.dist-info/entry_points.txt", f"[console_scripts]\n{LINK}\n")
        archive.writestr("trial-1.0.dist-info/RECORD", "")
    return path


def unpacked(wheel: Path, folder: Path, umask: int) -> dict[str, bytes]:
    uv = Path(sys.executable).with_name("uv")
    options = ["--no-index", "--offline", "--no-deps", "--no-compile-bytecode", *wheels.target("3.12")]
    source = ["--find-links", str(wheel.parent), "--cache-dir", str(folder.parent / "cache"), "trial"]
    subprocess.run(
        [uv, "pip", "install", "--python", sys.executable, "--target", folder, *options, *source],
        check=True,
        capture_output=True,
        umask=umask,
    )
    wheels.prune(folder)
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_two_places_times_and_umasks_give_the_same_bytes(tmp_path: Path, wheel: Path) -> None:
    one = unpacked(wheel, tmp_path / "a" / "site", 0o022)
    wheel.touch()
    other = unpacked(wheel, tmp_path / "deeper" / "b" / "site", 0o077)

    assert one == other
    assert {"trial/__init__.py", "trial-1.0.dist-info/METADATA"} <= set(one)
    assert [name for name, content in one.items() if str(tmp_path).encode() in content or name.startswith("bin")] == []


def test_what_no_server_reads_goes_and_the_rest_stays(tmp_path: Path) -> None:
    for name in ("bin/f2py", "numpy/f2py/main.py", "numpy/fft/fft.py", "onnxruntime/capi/libonnxruntime.so.1", ".lock"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    wheels.prune(tmp_path)

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "numpy" / "fft" / "fft.py"]


def test_an_archive_is_the_same_bytes_whatever_the_times_the_umask_and_the_order_of_writing(tmp_path: Path) -> None:
    names = ["b/two.py", "a/one.py", "a/b.py"]
    for folder, order, umask in (("one", names, 0o022), ("other", names[::-1], 0o077)):
        before = os.umask(umask)
        for name in order:
            (tmp_path / folder / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / name).write_text(name)
        os.umask(before)
        wheels.pack(tmp_path / folder, tmp_path / f"{folder}.tar")
    os.utime(tmp_path / "one" / "a" / "one.py", (1, 1))
    wheels.pack(tmp_path / "one", tmp_path / "later.tar")

    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "other.tar").read_bytes()
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "later.tar").read_bytes()
    with tarfile.open(tmp_path / "one.tar") as archive:
        assert {(one.name, oct(one.mode), one.uid) for one in archive if one.isfile()} == {
            (name, "0o644", 0) for name in names
        }
