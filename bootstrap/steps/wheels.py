"""Step: the wheels that model images install, collected by hash for the base image's Python, so that their build
needs no network.

.tools/wheels/cp311 (or whichever Python the base image has) holds exactly what serving/requirements.lock asks for,
nothing else.
"""

import json
import platform
import re
from pathlib import Path

from bootstrap import content, lock_file
from bootstrap.console import Step
from bootstrap.context import Context
from bootstrap.errors import BootstrapError, PartMissing
from bootstrap.system import programs

TITLE = "Wheels for images"
# Asks pip's own copy of the packaging rules which pins of the lock hold for another Python; prints their names.
MARKERS = """
import json, sys
from pip._vendor.packaging.markers import Marker
pins, environment = json.load(sys.stdin)
print(json.dumps([name for name, marker in pins if not marker or Marker(marker).evaluate(environment)]))
"""
NEWEST_GLIBC = 36  # Debian bookworm's 2.36; older wheels run there too


def ensure(context: Context, step: Step) -> None:
    lock = context.layout.root / "serving" / "requirements.lock"
    if not lock.exists():
        raise BootstrapError(
            f"{lock.relative_to(context.layout.root)} is missing", ["this checkout is incomplete: git status"]
        )
    image = context.set_by_user("SEALIFT_BASE_IMAGE") or context.facts.base_image
    python = python_of(context, image)
    tag = f"cp{python.replace('.', '')}"
    folder = context.layout.tools / "wheels" / tag
    stamp = context.layout.stamps / f"wheels-{tag}"
    expected = content.key(files=[lock], words=[python, platform.machine()])
    if not (content.stamped(stamp, expected) and _whole(folder)):
        stamp.unlink(missing_ok=True)
        _collect(context, step, lock, folder, python)
        content.write(stamp, expected + "\n")
    context.learn(wheels=str(folder))
    sizes = [wheel.stat().st_size for wheel in folder.glob("*.whl")]
    step.done(f"{len(sizes)} for Python {python}, {sum(sizes) / 1e6:.0f} MB")


def python_of(context: Context, image: str) -> str:
    """ "3.11": the Python in the base image. Asked once per image."""
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
            f"base image {image} has no python3 that runs",
            ["SEALIFT_BASE_IMAGE=an image with Python 3.11 or newer"],
        )
    if int(said.partition(".")[2]) < 11:
        raise PartMissing(
            TITLE, f"base image {image} has Python {said}", ["SEALIFT_BASE_IMAGE=an image with Python 3.11 or newer"]
        )
    content.write(known, f"{image} {said}\n")
    return said


def _whole(folder: Path) -> bool:
    """Whether every file that the last collection listed is there with its size."""
    listing = folder.parent / f"{folder.name}.json"
    if not listing.exists():
        return False
    files = {wheel.name: wheel.stat().st_size for wheel in folder.iterdir()} if folder.exists() else {}
    return bool(files) and files == json.loads(listing.read_text())


def _collect(context: Context, step: Step, lock: Path, folder: Path, python: str) -> None:
    """Downloads into a folder beside it, which then takes its place: strays and half-written files stay behind."""
    layout = context.layout
    wanted = select(context, lock_file.parse(lock.read_text()), python)
    chosen = layout.tools / "wheels" / f"{folder.name}.lock.txt"
    # Without markers: pip would judge them by the Python it runs on.
    content.write(chosen, "".join(pin.unconditional for pin in wanted))
    log = layout.logs / "wheels.log"
    argv = [
        str(layout.python),
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--require-hashes",
        "--only-binary=:all:",
        "--dest",
        str(folder),
    ]
    target = [
        "--python-version",
        python,
        "--implementation",
        "cp",
        "--abi",
        f"cp{python.replace('.', '')}",
        "--abi",
        "abi3",
        "--abi",
        "none",
    ]
    programs.run(
        [*argv, *target, *platforms(), "-r", str(chosen)],
        log=log,
        progress=step.progress,
        env=context.user,
        timeout_seconds=900,
    )
    _remove_strays(folder, wanted)
    files = {wheel.name: wheel.stat().st_size for wheel in folder.iterdir()}
    if len(files) != len(wanted):
        raise BootstrapError(
            f"{TITLE}: {len(files)} files for {len(wanted)} locked packages in {folder}", [f"read the whole log: {log}"]
        )
    content.write(folder.parent / f"{folder.name}.json", json.dumps(files, indent=2, sort_keys=True) + "\n")


def platforms() -> list[str]:
    """pip's --platform options: every glibc that bookworm's can stand for."""
    machine = platform.machine()
    names = [f"manylinux_2_{minor}_{machine}" for minor in range(NEWEST_GLIBC, 16, -1)] + [f"manylinux2014_{machine}"]
    return [word for name in names for word in ("--platform", name)]


def select(context: Context, pins: list[lock_file.Pin], python: str) -> list[lock_file.Pin]:
    """The pins whose markers hold for Linux with this Python, which is not ours."""
    environment = {"python_version": python, "python_full_version": f"{python}.0"}
    question = json.dumps([[[f"{pin.name}=={pin.version}", pin.marker] for pin in pins], environment])
    said = programs.ask([str(context.layout.python), "-c", MARKERS], stdin=question, env=context.user)
    if said is None:
        raise BootstrapError(f"{TITLE}: the locked requirements could not be read", ["make setup, once more"])
    names = set(json.loads(said))
    return [pin for pin in pins if f"{pin.name}=={pin.version}" in names]


def _remove_strays(folder: Path, wanted: list[lock_file.Pin]) -> None:
    """What an older lock left: any file that is not the wheel of a wanted pin."""
    expected = {(re.sub(r"[-_.]+", "_", pin.name).lower(), pin.version) for pin in wanted}
    for wheel in folder.iterdir():
        name, _, rest = wheel.name.partition("-")
        if (re.sub(r"[-_.]+", "_", name).lower(), rest.partition("-")[0]) not in expected:
            wheel.unlink()
