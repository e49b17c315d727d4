"""Step: .tools/venv with exactly the packages in requirements.lock. Every file is checked by its hash.

uv installs them: the user's own uv if it exists, otherwise the locked one in a separate environment. A venv without its
stamp was not finished. It is made again, from uv's cache as far as possible.

torch with CUDA is by far the largest package, and only a GPU needs it. Without an NVIDIA card, PyTorch's own CPU build
is installed if its index answers. Its files are not in the lock: the version is pinned, but not the hash. TORCH
overrides the choice.
"""

import os
import re
import shlex
import shutil
import sys
from pathlib import Path

from bootstrap import content, lock_file
from bootstrap.console import Step
from bootstrap.context import Context
from bootstrap.errors import PartMissing, UsageError
from bootstrap.layout import Layout
from bootstrap.system import network, programs

TITLE = "Python environment"
PYTORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
# Packages that only torch's CUDA build needs.
CUDA_ONLY = re.compile(r"torch|triton|nvidia-.*|cuda-.*")
NEEDED_GIB = {"cuda": 9.0, "cpu": 3.0}
SIZES = {"cuda": "about 3 GB to download, 5.4 GB on disk", "cpu": "0.2 GB to download"}


def ensure(context: Context, step: Step) -> None:
    layout = context.layout
    write_command(layout)
    flavour, reason = torch_flavour(context)
    lock = layout.root / "requirements.lock"
    stamp = stamp_of(layout)
    expected = key(layout, lock, flavour)
    pins = lock_file.parse(lock.read_text())
    torch = next(pin for pin in pins if pin.name == "torch")
    summary = f"Python {sys.version_info.major}.{sys.version_info.minor}, torch {torch.version} ({flavour})"
    if content.has_stamp(stamp, expected) and layout.python.exists():
        step.done(summary)
        return
    _check_space(layout.tools, flavour)
    size, other = SIZES[flavour], next(name for name in SIZES if name != flavour)
    cpu_is_there = network.reachable("pytorch")
    offer = f"; `make setup TORCH={other}` installs the other build" if other == "cuda" or cpu_is_there else ""
    context.console.note(f"torch {torch.version} ({flavour}): {size}, because {reason}{offer}")
    if flavour == "cpu" and not cpu_is_there:
        raise PartMissing(
            "torch (CPU build)",
            f"{PYTORCH_CPU_INDEX} does not answer",
            ["unset TORCH to install the CUDA build from the package index"],
        )
    uv = find_uv(context, step, pins)
    if not stamp.exists() or not layout.python.exists():
        programs.run(
            [uv, "venv", "--clear", "--python", sys.executable, str(layout.venv)],
            log=layout.logs / "venv.log",
            progress=step.progress,
        )
    stamp.unlink(missing_ok=True)
    _install(context, step, uv, lock, pins, flavour)
    content.write(stamp, expected + "\n")
    content.write(remembered_flavour(layout), flavour + "\n")
    step.done(summary)


def write_command(layout: Layout) -> None:
    """Writes `.tools/bin/sealift`, which runs this checkout's command in any folder."""
    root, python = shlex.quote(str(layout.root)), shlex.quote(str(layout.python))
    text = f'#!/bin/sh\nPYTHONPATH={root}${{PYTHONPATH:+:$PYTHONPATH}} exec {python} -P -m sealift "$@"\n'
    content.write(layout.bin / "sealift", text, mode=0o755)


def stamp_of(layout: Layout) -> Path:
    return layout.stamps / "venv"


def key(layout: Layout, lock: Path, flavour: str) -> str:
    """Returns the stamp's content for an environment made from `lock` with the current Python."""
    words = [flavour, sys.version, os.path.realpath(sys.executable), str(layout.venv)]
    return content.key(files=[lock], words=words)


def remembered_flavour(layout: Layout) -> Path:
    return layout.tools / "torch"


def ahead(context: Context) -> str:
    """See order.SetupStep."""
    return "" if context.layout.python.exists() else "1 to 5 minutes to download packages and PyTorch"


def torch_flavour(context: Context) -> tuple[str, str]:
    """Returns "cuda" or "cpu" and the reason: TORCH, otherwise the earlier choice, otherwise this machine's card."""
    remembered = remembered_flavour(context.layout)
    if said := context.user.get("TORCH"):
        chosen, reason = said, f"TORCH is {said!r}"
    elif remembered.exists():
        chosen = remembered.read_text().strip()
        reason = "an earlier set-up chose it"
    elif has_nvidia_card():
        chosen, reason = "cuda", "this machine has an NVIDIA card"
    elif network.reachable("pytorch"):
        chosen, reason = "cpu", "this machine has no NVIDIA card"
    else:
        chosen, reason = "cuda", "PyTorch's index of CPU builds does not answer, and the package index has only CUDA"
    if chosen not in NEEDED_GIB:
        raise UsageError(f"TORCH is {chosen!r}; allowed: cpu, cuda", ["run make setup TORCH=cpu"])
    return chosen, reason


def has_nvidia_card(devices: Path = Path("/dev")) -> bool:
    """Whether a driver shows an NVIDIA card."""
    return any(devices.glob("nvidia[0-9]*")) or (devices / "dxg").exists()  # dxg: a card under WSL


def _check_space(tools: Path, flavour: str) -> None:
    tools.mkdir(parents=True, exist_ok=True)
    free_gib = shutil.disk_usage(tools).free / 2**30
    if free_gib < NEEDED_GIB[flavour]:
        raise PartMissing(
            TITLE,
            f"{tools} has {free_gib:.1f} GiB free, but {NEEDED_GIB[flavour]:.0f} GiB are needed",
            ["free some space", "or run make setup TORCH=cpu, which needs 3 GiB"],
        )


def find_uv(context: Context, step: Step, pins: list[lock_file.Pin]) -> str:
    """Returns the user's uv, otherwise the locked one, which pip installs into .tools/uv."""
    own = context.layout.tools / "uv"
    installed = own / "bin" / "uv"
    if programs.ask([str(installed), "--version"]):
        return str(installed)
    on_path = shutil.which("uv")
    if on_path and programs.ask([on_path, "--version"]):
        return on_path
    _require_venv(context, step)
    log = context.layout.logs / "uv.log"
    programs.run([sys.executable, "-m", "venv", "--clear", str(own)], log=log, progress=step.progress)
    only_uv = context.layout.tools / "uv.lock.txt"
    content.write(only_uv, next(pin for pin in pins if pin.name == "uv").text)
    pip = [
        str(own / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "--require-hashes",
        "--only-binary=:all:",
        "-r",
        str(only_uv),
    ]
    programs.run(pip, log=log, progress=step.progress, timeout_seconds=600)
    return str(installed)


def _require_venv(context: Context, step: Step) -> None:
    """Installs Debian's venv package if needed: Debian's Python cannot make environments without it."""
    if programs.ask([sys.executable, "-c", "import venv, ensurepip"]) is not None:
        return
    from bootstrap.system import debian

    debian.require(
        "Python's venv module",
        ["python3-venv"],
        context.layout,
        step.progress,
        ["use a Python 3.11 or newer that has the venv module"],
    )


def uv_variables(context: Context) -> dict[str, str]:
    """Returns the environment for uv: the user's own."""
    env = {**context.user, "UV_NO_PROGRESS": "1"}
    if env.get("PIP_INDEX_URL"):  # a mirror for pip is used for uv too
        env.setdefault("UV_DEFAULT_INDEX", env["PIP_INDEX_URL"])
    return env


def _install(context: Context, step: Step, uv: str, lock: Path, pins: list[lock_file.Pin], flavour: str) -> None:
    env = uv_variables(context)
    log = context.layout.logs / "venv.log"
    source = lock
    if flavour == "cpu":
        source = context.layout.tools / "requirements.cpu.lock"
        content.write(source, lock_file.without(pins, CUDA_ONLY))
    sync = [
        uv,
        "pip",
        "sync",
        "--python",
        str(context.layout.python),
        "--require-hashes",
        "--only-binary",
        ":all:",
        "--compile-bytecode",  # if Python may not write beside its modules, torch would be compiled at every start
        str(source),
    ]
    programs.run(sync, log=log, progress=step.progress, env=env)
    if flavour == "cpu":
        torch = next(pin for pin in pins if pin.name == "torch")
        pip = [
            uv,
            "pip",
            "install",
            "--python",
            str(context.layout.python),
            "--no-deps",
            "--index-url",
            PYTORCH_CPU_INDEX,
        ]
        programs.run([*pip, f"torch=={torch.version}"], log=log, progress=step.progress, env=env)
