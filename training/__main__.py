"""`python -m training --events FD`: one run in a process of its own. `python -m training report`: shows its report.

in     one JSON object on one line of standard input (request.py); then nothing, until its end: the parent is gone
out    events as JSON lines on the file descriptor FD, which must be inherited; standard output and error are for people
         progress  phase ("load", "data", "search", "folds", "train", "export", "report", "seal"), memory_bytes (most
                   that the process had), and either message or, between steps, epoch (how many are done), epochs,
                   step (done of the next one), steps, loss, validation (a metric's name and value; none: empty),
                   rows_per_second, seconds, eta_seconds, energy_joules
         log       level ("info", "warning"), message
         result    artifact_id, payload_digest, payload_size, manifest, content_digest, report_artifact_id,
                   report_payload_digest, report_manifest, metrics, example, epochs_run, stop_reason, model_bytes,
                   epsilon, delta, energy_joules, energy_source, duration_seconds, reused
         error     message, hint
exit   0: a result was told · 1: an error was told · 130: cancelled by SIGINT, SIGTERM or the end of standard input

A run that was killed, cancelled or done already goes on where it was: run.py says how.
"""

import argparse
import contextlib
import os
import resource
import sys
from pathlib import Path
from typing import Final, NoReturn

from sealing.errors import SealingError
from stores import StoreError
from training.cancellation import EXIT_CODE, Cancellation, CancelledError
from training.errors import RequestError, TrainingError, refused_by_system
from training.events import Events
from training.recipe.processor import pinned
from training.request import LARGEST_BYTES, Request, parse
from training.run import run

STANDARD_INPUT: Final = 0
MEMORY_FOLDER: Final = Path("/dev/shm")  # noqa: S108 - not for our files: so that a library's would not be on a disk


def main() -> int:
    """The exit code; see the module's docstring."""
    if sys.argv[1:2] == ["report"]:
        from training.report.show import main as show

        return show(sys.argv[2:])
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description="One training run: see training/__main__.py",
        epilog="`python -m training report --help` says how to read a sealed report",
    )
    parser.add_argument("--events", type=int, required=True, metavar="FD", help="inherited file descriptor for events")
    descriptor = parser.parse_args().events
    try:
        os.set_inheritable(descriptor, False)
    except OSError as error:
        parser.error(f"--events is {descriptor}; it must be an inherited, open file descriptor: {error.strerror}")
    cancellation = Cancellation()
    cancellation.listen()
    _keep_to_itself(descriptor)
    events = Events(descriptor)
    try:
        request = _read_request()
        _pin_arithmetic(request)
        cancellation.watch(STANDARD_INPUT)
        events.tell("result", **run(request, events, cancellation))
    except CancelledError as cancelled:
        events.log("info", str(cancelled))
        return EXIT_CODE
    except (TrainingError, SealingError, StoreError) as error:
        events.tell("error", message=error.message, hint=error.hint)
        return 1
    except ImportError as error:
        events.tell(
            "error", message=f"a library that training needs cannot be loaded: {error}", hint="run `make setup`"
        )
        return 1
    except OSError as error:
        told = refused_by_system(error)
        events.tell("error", message=told.message, hint=told.hint)
        return 1
    return 0


def _pin_arithmetic(request: Request) -> None:
    """Before torch is loaded, which reads these once."""
    pins = pinned(os.environ, bf16=request.job.precision == "bf16")
    for name in os.environ.keys() - pins.keys():
        del os.environ[name]
    os.environ.update(pins)
    if request.job.device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""  # torch would start every card's context at the first gradient
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # without it, products on a GPU are not repeatable


def _keep_to_itself(descriptor: int) -> None:
    """Lets go of what was inherited and is not ours, and keeps the model off every disk."""
    os.closerange(3, descriptor)
    os.closerange(max(3, descriptor + 1), os.sysconf("SC_OPEN_MAX"))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold the plain model and the run's key
    if MEMORY_FOLDER.is_dir():
        os.environ["TMPDIR"] = str(MEMORY_FOLDER)
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # ONNX Runtime would keep a database in the home and report its sessions


def _read_request() -> Request:
    line = b""
    while b"\n" not in line:
        chunk = os.read(STANDARD_INPUT, 65536)
        if not chunk:
            raise RequestError("standard input ended before a line with a request", "write one JSON object on one line")
        line += chunk
        if len(line) > LARGEST_BYTES:
            raise RequestError(f"the request is longer than {LARGEST_BYTES} bytes", "write one JSON object on one line")
    return parse(line.partition(b"\n")[0])


def _leave(exit_code: int) -> NoReturn:
    """Ends without the interpreter's tear-down, which takes long with torch loaded and frees nothing but memory."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):  # a reader that is gone
            stream.flush()
    os._exit(exit_code)


if __name__ == "__main__":
    _leave(main())
