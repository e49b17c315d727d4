"""Start of a training process: its environment, and its preparation before torch is loaded. The model's bits depend on
it, and it keeps the model private. Standard library only.
"""

import contextlib
import gc
import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NoReturn

from sealift.durable import core_dumps
from training.job import Job
from training.recipe.processor import pin

PROJECT_ROOT: Final = Path(__file__).resolve().parents[1]
COMMAND: Final = (sys.executable, "-P", "-m", "training")
"""Command of a training process. -P keeps a folder of the user's from shadowing one of our packages."""
MEMORY_FOLDER: Final = Path("/dev/shm")  # noqa: S108 - not for our files: so that a library's would not be on a disk

FONT_LIST: Final = "fontlist-v3.11.0.json"
FONTS: Final = {
    "__class__": "FontManager",
    "_version": "3.11.0",
    "_FontManager__default_weight": "normal",
    "default_size": None,
    "defaultFamily": {"ttf": "DejaVu Sans", "afm": "Helvetica"},
    "afmlist": [],
    "ttflist": [
        {
            "__class__": "FontEntry", "fname": "fonts/ttf/DejaVuSans.ttf", "index": 0, "name": "DejaVu Sans",
            "style": "normal", "variant": "normal", "weight": 400, "stretch": "normal", "size": "scalable",
        }
    ],
}  # fmt: skip
"""Matplotlib's font list in its own form, with the font that it ships and measures texts with. Without it, a run would
search all fonts of the machine with a program of the machine. It does so again if matplotlib changes the list's form.
"""


def environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """Returns the inherited variables without those of the engine, since its passphrase and tokens must not reach
    training code.
    """
    # recipe/processor.py has the other pins; these two are read before a line of Python runs. GLIBC_TUNABLES selects
    # the C library's mathematics; the hash seed fixes the order of sets of text in the user's code.
    kept = {name: one for name, one in inherited.items() if not name.startswith(("PULUMI_", "GLIBC_TUNABLES"))}
    # otherwise onnxruntime would report to its maker and leave a device id in the home folder
    ours = {"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(PROJECT_ROOT), "ORT_DISABLE_TELEMETRY": "1"}
    return kept | ours | {"PYTHONHASHSEED": "0"}


def is_started_so() -> bool:
    """Returns whether this process was started with COMMAND and `environment`."""
    return sys.flags.safe_path and dict(os.environ) == environment(os.environ)


def start_anew(arguments: Sequence[str]) -> NoReturn:
    """Replaces this process by one started that way. Signals wait until that one listens."""
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os.execve(COMMAND[0], [*COMMAND, *arguments], environment(os.environ))  # noqa: S606 - no shell is wanted


def keep_to_itself() -> None:
    """Keeps the model off every disk."""
    core_dumps.forbid()  # a dump would contain the plain model and the run's key
    if MEMORY_FOLDER.is_dir():
        os.environ["TMPDIR"] = str(MEMORY_FOLDER)
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # ONNX Runtime would keep a database in the home and report its sessions


def pin_arithmetic(job: Job) -> None:
    """Pins the arithmetic before torch is loaded, since torch reads these variables once."""
    pins = pin(os.environ, bf16=job.precision == "bf16")
    for name in os.environ.keys() - pins.keys():
        del os.environ[name]
    os.environ.update(pins)
    if job.device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""  # torch would start every card's context at the first gradient
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # without it, products on a GPU are not repeatable


@contextlib.contextmanager
def import_large_libraries() -> Iterator[None]:
    """Prepares and finishes the import of large libraries inside the block."""
    gc.disable()  # a tenth of the imports' time would go into collecting garbage among objects that stay
    with tempfile.TemporaryDirectory() as folder:  # otherwise matplotlib would leave a font list in the home
        with contextlib.suppress(OSError):  # a full disk: matplotlib then searches for fonts, which takes longer
            Path(folder, FONT_LIST).write_text(json.dumps(FONTS))
        os.environ["MPLCONFIGDIR"] = folder
        yield
    gc.freeze()
    gc.enable()


def leave(exit_code: int) -> NoReturn:
    """Exits without the interpreter's tear-down, which takes long with torch loaded and frees only memory."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):  # the reader is gone
            stream.flush()
    os._exit(exit_code)
