"""`python -m training --events FD`: one sealed run in its own process.

in     the current folder, with the user's modules and data files; and one line on standard input: the request
       (request.py). The end of standard input means that the parent is gone
out    events (events.py) as JSON lines on the file descriptor FD, which must be inherited. The last one is a result
       (run_result.py) or an error. Standard output and error are for people
exit   0: a result was sent · 1: an error was sent · 130: cancelled by SIGINT, SIGTERM or the end of standard input

A run that was killed, cancelled or finished before continues from there, as run.py describes.
"""

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from sealift.sealing.errors import SealingError
from sealift.stores import StoreError
from training.cancellation import EXIT_CODE, Cancellation, CancelledError
from training.errors import GateError, RunRequestError, TrainingError, blame_system
from training.events import ErrorEvent, EventStream, ResultEvent
from training.process import keep_to_itself, pin_arithmetic
from training.request import LARGEST_BYTES, RunRequest, read_request
from training.run import run
from training.run_result import write_result

STANDARD_INPUT: Final = 0


def main(arguments: Sequence[str]) -> int:
    """Returns the exit code, as the module's docstring defines it."""
    parser = argparse.ArgumentParser(
        prog="python -m training", description="One sealed training run: see training/on_request.py"
    )
    parser.add_argument(
        "--events", type=int, required=True, metavar="FD", help="inherited file descriptor that events are written to"
    )
    descriptor = parser.parse_args(arguments).events
    try:
        os.set_inheritable(descriptor, False)
    except OSError as error:
        parser.error(f"--events is {descriptor}; it must be an inherited, open file descriptor: {error.strerror}")
    cancellation = Cancellation()
    cancellation.listen()
    _let_go_of_all_but(descriptor, *cancellation.descriptors)
    keep_to_itself()
    events = EventStream(descriptor)

    def answer() -> None:
        request = _read_request()
        pin_arithmetic(request.job)
        cancellation.watch(STANDARD_INPUT)
        events.tell(ResultEvent(write_result(run(request, events, cancellation))))

    return end(events, answer)


def end(events: EventStream, work: Callable[[], None]) -> int:
    """Does the work of a run's process. Returns its exit code, after sending the error that ended it."""
    try:
        work()
    except CancelledError as cancelled:
        events.log("info", str(cancelled))
        return EXIT_CODE
    except GateError as error:
        events.tell(ErrorEvent(error.message, error.hint, dict(error.report)))
        return 1
    except (TrainingError, SealingError, StoreError) as error:
        events.tell(ErrorEvent(error.message, error.hint))
        return 1
    except ImportError as error:
        events.tell(ErrorEvent(f"a library that training needs cannot be loaded: {error}", "run `make setup`"))
        return 1
    except OSError as error:
        told = blame_system(error)
        events.tell(ErrorEvent(told.message, told.hint))
        return 1
    return 0


def _let_go_of_all_but(*ours: int) -> None:
    """Closes all inherited descriptors except these."""
    first = 3
    for descriptor in sorted(ours):
        os.closerange(first, descriptor)
        first = descriptor + 1
    os.closerange(first, os.sysconf("SC_OPEN_MAX"))


def _read_request() -> RunRequest:
    line = b""
    while b"\n" not in line:
        chunk = os.read(STANDARD_INPUT, 65536)
        if not chunk:
            raise RunRequestError(
                "standard input ended before the request's line was complete", "write one JSON object on one line"
            )
        line += chunk
        if len(line) > LARGEST_BYTES:
            raise RunRequestError(
                f"the request exceeds the limit of {LARGEST_BYTES} bytes", "write one JSON object on one line"
            )
    return read_request(line.partition(b"\n")[0], Path.cwd())
