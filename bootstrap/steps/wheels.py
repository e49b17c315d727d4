"""Step: the packages of model images, unpacked from their wheels for the base image's Python. An image's build then
needs neither a network nor an installer.

.tools/wheels/cp311 (or the version of the base image's Python) contains them in one archive: the packages of the
server's lock file, with every wheel checked by its hash, without files that no server reads. The archive has the same
bytes on every machine: the locked uv unpacks, its files about this machine are left out, and modes, times and owners
are fixed.
"""

import json
import platform
import re
import shutil
import tarfile
from pathlib import Path

from bootstrap import content
from bootstrap.console import Step
from bootstrap.context import Context
from bootstrap.errors import BootstrapError, PartMissing
from bootstrap.steps import python_environment
from bootstrap.system import programs
from sealift.serving import image_layout

TITLE = "Wheels for images"
NEWEST_GLIBC = 36  # Debian bookworm's 2.36; older wheels run there too
# Files that no server reads: programs, tests, headers, onnxruntime's converters and the second copy of its library.
UNREAD = (
    "bin", "numpy/_core/include", "numpy/_core/tests", "numpy/f2py", "numpy/lib/tests", "numpy/ma/tests",
    "numpy/linalg/tests", "numpy/random/tests", "numpy/fft/tests", "numpy/polynomial/tests", "numpy/matrixlib/tests",
    "numpy/testing/tests", "numpy/typing/tests", "numpy/tests", "onnxruntime/tools", "onnxruntime/transformers",
    "onnxruntime/quantization", "onnxruntime/datasets", "onnxruntime/capi/libonnxruntime.so*",
)  # fmt: skip
# Files about this machine: place and time of unpacking. RECORD has digests of programs that contain this Python's path.
OF_THIS_MACHINE = (".lock", "*.dist-info/RECORD", "*.dist-info/uv_cache.json")


def ensure(context: Context, step: Step) -> None:
    lock = context.layout.root / "sealift" / "serving" / "requirements.lock"
    if not lock.exists():
        raise BootstrapError(
            f"{lock.relative_to(context.layout.root)} is missing", ["run git status: this checkout is incomplete"]
        )
    image = context.set_by_user("SEALIFT_BASE_IMAGE") or context.facts.base_image
    python = python_of(context, image)
    tag = f"cp{python.replace('.', '')}"
    folder = context.layout.tools / "wheels" / tag
    stamp = context.layout.stamps / f"wheels-{tag}"
    expected = content.key(files=[lock], words=[python, platform.machine(), *UNREAD, *OF_THIS_MACHINE])
    if not (content.has_stamp(stamp, expected) and _whole(folder)):
        stamp.unlink(missing_ok=True)
        _collect(context, step, lock, folder, python)
        content.write(stamp, expected + "\n")
    context.learn(wheels=str(folder))
    step.done(f"for Python {python}, {(folder / image_layout.PACKAGES_FILE).stat().st_size / 1e6:.0f} MB")


def python_of(context: Context, image: str) -> str:
    """Returns the version of the base image's Python, such as "3.11". It is determined once per image."""
    known = context.layout.tools / "base-image-python"
    remembered = known.read_text().split() if known.exists() else []
    if len(remembered) == 2 and remembered[0] == image:
        return remembered[1]
    question = "import sys; print('%d.%d' % sys.version_info[:2])"
    argv = ["docker", "run", "--rm", "--network", "none", "--entrypoint", "python3", image, "-c", question]
    said = programs.ask(argv, env=context.variables, timeout_seconds=120)
    if said is None or not re.fullmatch(r"3\.\d+", said):
        raise PartMissing(
            TITLE,
            f"base image {image} has no working python3",
            ["set SEALIFT_BASE_IMAGE to an image with Python 3.11 or newer"],
        )
    if int(said.partition(".")[2]) < 11:
        raise PartMissing(
            TITLE,
            f"base image {image} has Python {said}",
            ["set SEALIFT_BASE_IMAGE to an image with Python 3.11 or newer"],
        )
    content.write(known, f"{image} {said}\n")
    return said


def _whole(folder: Path) -> bool:
    """Whether the archive exists with the size that the last collection noted."""
    archive, noted = folder / image_layout.PACKAGES_FILE, folder.parent / f"{folder.name}.json"
    return archive.exists() and noted.exists() and archive.stat().st_size == json.loads(noted.read_text())


def _collect(context: Context, step: Step, lock: Path, folder: Path, python: str) -> None:
    """Unpacks into a new folder, which then replaces the old one, so that no old or incomplete files remain."""
    layout = context.layout
    draft = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    argv = [str(layout.venv / "bin" / "uv"), "pip", "install", "--python", str(layout.python), "--target", str(draft)]
    checked = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--no-compile-bytecode"]
    programs.run(
        [*argv, *checked, *target(python), "-r", str(lock)],
        log=layout.logs / "wheels.log",
        progress=step.progress,
        env=python_environment.uv_variables(context),
        timeout_seconds=900,
    )
    prune(draft)
    packed = folder.with_name(f"{folder.name}.packed")
    shutil.rmtree(packed, ignore_errors=True)
    packed.mkdir()
    pack(draft, packed / image_layout.PACKAGES_FILE)
    shutil.rmtree(draft)
    shutil.rmtree(folder, ignore_errors=True)
    packed.rename(folder)
    content.write(folder.parent / f"{folder.name}.json", f"{(folder / image_layout.PACKAGES_FILE).stat().st_size}\n")


def target(python: str) -> list[str]:
    """Returns uv's options for the image's Python and platform, which select wheels and markers."""
    return ["--python-version", python, "--python-platform", f"{platform.machine()}-manylinux_2_{NEWEST_GLIBC}"]


def prune(folder: Path) -> None:
    """Removes files that the image does not need or that differ between two machines."""
    for pattern in (*UNREAD, *OF_THIS_MACHINE):
        for path in folder.glob(pattern):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def pack(folder: Path, archive: Path) -> None:
    """Packs the folder's files, ordered by name and without data of this machine."""
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(folder.rglob("*")):
            member = tarfile.TarInfo(path.relative_to(folder).as_posix())
            member.mtime = image_layout.FIXED_TIME
            if path.is_dir():
                member.type, member.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(member)
                continue
            member.size, member.mode = path.stat().st_size, 0o644
            with path.open("rb") as file:
                tar.addfile(member, file)
